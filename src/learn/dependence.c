/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/dependence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CURVE_POINTS 21
#define CURVE_ROWS 150 /* whose answers are averaged */
#define H_ROWS 60      /* cost of a pair: their square */
#define FEW_VALUES 8   /* such features are shown at their values, not between */
#define EDGE 0.02      /* share of the rows beyond either end of an axis */

void dependence_free(struct dependence *dependence)
{
    if (!dependence)
        return;
    arena_deinit(&dependence->memory);
    free(dependence);
}

/* Evenly spread rows that answers are averaged over, and one of them with values set. */
struct probe {
    const struct dependence_input *input;
    size_t n, p;
    size_t *rows; /* [n] */
    float *raw;   /* [n][p] with values set */
    double *output;
    double *scratch; /* [n] */
    float *sorted;   /* [n of the input] */
};

static void probe_deinit(struct probe *probe)
{
    free(probe->rows);
    free(probe->raw);
    free(probe->output);
    free(probe->scratch);
    free(probe->sorted);
}

static enum status probe_init(struct probe *probe, const struct dependence_input *input,
                              struct error *err)
{
    probe->input = input;
    probe->p = input->spec->n_columns;
    probe->n = input->n < CURVE_ROWS ? input->n : CURVE_ROWS;
    probe->rows = calloc(probe->n + 1, sizeof *probe->rows);
    probe->raw = calloc(probe->n * probe->p + 1, sizeof *probe->raw);
    probe->output = calloc(probe->n * shipped_n_outputs(input->model) + 1, sizeof *probe->output);
    probe->scratch = calloc(probe->n + 1, sizeof *probe->scratch);
    probe->sorted = calloc(input->n + 1, sizeof *probe->sorted);
    if (!probe->rows || !probe->raw || !probe->output || !probe->scratch || !probe->sorted)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < probe->n; i++)
        probe->rows[i] = i * input->n / probe->n;
    return STATUS_OK;
}

/* Answers of the first n rows of the probe with column a (and b) set. Returns their mean. */
static double answers(struct probe *probe, size_t n, size_t a, double at_a, size_t b, double at_b)
{
    size_t k = shipped_n_outputs(probe->input->model);
    for (size_t i = 0; i < n; i++) {
        float *row = probe->raw + i * probe->p;
        memcpy(row, probe->input->raw + probe->rows[i] * probe->p, probe->p * sizeof *row);
        row[a] = (float)at_a;
        row[b] = (float)at_b;
    }
    shipped_run(probe->input->model, probe->raw, n, probe->output);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        probe->scratch[i] = probe->output[i * k];
        sum += probe->scratch[i];
    }
    return sum / (double)n;
}

/* ---- axes ---- */

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The one field that a feature reads, or NULL. */
static const struct profile_field *only_field(enum feature_id feature)
{
    uint64_t inputs = feature_definitions[feature].inputs;
    if (inputs == 0 || (inputs & (inputs - 1)) != 0)
        return NULL;
    for (size_t i = 0; i < PROFILE_N_FIELDS; i++)
        if (profile_fields[i].kind != PROFILE_TEXT && inputs >> profile_fields[i].index == 1)
            return &profile_fields[i];
    return NULL;
}

static double feature_of(const struct feature_spec *spec, size_t column,
                         const struct profile_field *field, double x)
{
    float raw[FEATURE_MAX_COLUMNS];
    struct profile profile;
    profile_init(&profile);
    profile.number[field->index] = x;
    feature_extract(spec, &profile, raw);
    return (double)raw[column];
}

/* The field's value that gives a value of the feature, by bisection: features of one field rise or
 * fall with it. NaN: none does. */
static double invert(const struct feature_spec *spec, size_t column,
                     const struct profile_field *field, double value)
{
    double low = field->min;
    double high = field->max;
    double at_low = feature_of(spec, column, field, low);
    bool rises = feature_of(spec, column, field, high) > at_low;
    for (int i = 0; i < 200 && high - low > 1e-9 * fmax(1.0, fabs(low)); i++) {
        /* Halve decades while the range has some. */
        double middle = low > 0 && high / low > 4 ? sqrt(low * high)
                        : low == 0 && high > 1e-6 ? high / 8
                                                  : (low + high) / 2;
        double at = feature_of(spec, column, field, middle);
        if (isnan(at))
            return (double)NAN;
        if ((at < value) == rises)
            low = middle;
        else
            high = middle;
    }
    double x = high < 1e-6 && low >= 0 ? 0 : (low + high) / 2;
    return fabs(feature_of(spec, column, field, x) - value) < 1e-3 * fmax(1.0, fabs(value))
               ? x
               : (double)NAN;
}

/* Values between the edges of the data, evenly; or the values that there are, when they are few.
 * Returns how many. */
static size_t place_points(struct probe *probe, size_t column, size_t n_points, double *ret_value)
{
    size_t n = 0;
    for (size_t i = 0; i < probe->input->n; i++) {
        float value = probe->input->raw[i * probe->p + column];
        if (!isnan(value))
            probe->sorted[n++] = value;
    }
    if (n == 0)
        return 0;
    qsort(probe->sorted, n, sizeof probe->sorted[0], compare_floats);
    size_t n_distinct = 0;
    for (size_t i = 0; i < n && n_distinct <= FEW_VALUES; i++) {
        if (i > 0 && probe->sorted[i] == probe->sorted[i - 1])
            continue;
        if (n_distinct < FEW_VALUES)
            ret_value[n_distinct] = (double)probe->sorted[i];
        n_distinct++;
    }
    if (n_distinct <= FEW_VALUES)
        return n_distinct;
    double low = (double)probe->sorted[(size_t)(EDGE * (double)(n - 1))];
    double high = (double)probe->sorted[(size_t)((1 - EDGE) * (double)(n - 1))];
    if (!(high > low)) {
        low = (double)probe->sorted[0];
        high = (double)probe->sorted[n - 1];
    }
    for (size_t i = 0; i < n_points; i++)
        ret_value[i] = low + (high - low) * (double)i / (double)(n_points - 1);
    return n_points;
}

static enum status make_axis(struct probe *probe, size_t column, size_t n_points,
                             struct arena *memory, struct dependence_axis *axis, struct error *err)
{
    const struct feature_spec *spec = probe->input->spec;
    const struct feature_definition *feature = &feature_definitions[spec->columns[column].feature];
    axis->column = column;
    axis->feature = feature->name;
    axis->value = ARENA_ARRAY(memory, double, n_points);
    axis->x = ARENA_ARRAY(memory, double, n_points);
    if (!axis->value || !axis->x)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    axis->n = place_points(probe, column, n_points, axis->value);
    const struct profile_field *field = only_field(spec->columns[column].feature);
    bool inverted = field != NULL;
    for (size_t i = 0; i < axis->n && inverted; i++) {
        axis->x[i] = invert(spec, column, field, axis->value[i]);
        inverted = isfinite(axis->x[i]);
    }
    for (size_t i = 0; i < axis->n && !inverted; i++)
        axis->x[i] = axis->value[i];
    axis->input = inverted ? field->name : "";
    axis->unit = inverted ? field->unit : feature->unit;
    return STATUS_OK;
}

static size_t nearest(const struct dependence_axis *axis, double value)
{
    size_t best = 0;
    for (size_t i = 1; i < axis->n; i++)
        if (fabs(axis->value[i] - value) < fabs(axis->value[best] - value))
            best = i;
    return best;
}

/* ---- curves ---- */

static enum status make_curve(struct probe *probe, size_t column, struct arena *memory,
                              struct dependence_curve *curve, struct error *err)
{
    TRY(make_axis(probe, column, CURVE_POINTS, memory, &curve->axis, err));
    curve->mean = ARENA_ARRAY(memory, double, CURVE_POINTS);
    curve->low = ARENA_ARRAY(memory, double, CURVE_POINTS);
    curve->high = ARENA_ARRAY(memory, double, CURVE_POINTS);
    curve->density = ARENA_ARRAY(memory, double, CURVE_POINTS);
    if (!curve->mean || !curve->low || !curve->high || !curve->density)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < curve->axis.n; i++) {
        double value = curve->axis.value[i];
        curve->mean[i] = answers(probe, probe->n, column, value, column, value);
        qsort(probe->scratch, probe->n, sizeof probe->scratch[0], compare_doubles);
        curve->low[i] = probe->scratch[(size_t)(0.1 * (double)(probe->n - 1) + 0.5)];
        curve->high[i] = probe->scratch[(size_t)(0.9 * (double)(probe->n - 1) + 0.5)];
    }
    size_t n_present = 0;
    for (size_t i = 0; i < probe->input->n; i++) {
        float value = probe->input->raw[i * probe->p + column];
        if (isnan(value))
            continue;
        curve->density[nearest(&curve->axis, (double)value)]++;
        n_present++;
    }
    for (size_t i = 0; i < curve->axis.n; i++)
        curve->density[i] /= (double)n_present;
    return STATUS_OK;
}

/* ---- two at once ---- */

static enum status make_surface(struct probe *probe, struct dependence *dependence,
                                struct error *err)
{
    struct dependence_axis *side = dependence->side;
    for (size_t s = 0; s < 2; s++)
        TRY(make_axis(probe, dependence->curves[s].axis.column, DEPENDENCE_PAIR_POINTS,
                      &dependence->memory, &side[s], err));
    size_t n = side[0].n * side[1].n;
    dependence->surface = ARENA_ARRAY(&dependence->memory, double, n + 1);
    dependence->count = ARENA_ARRAY(&dependence->memory, size_t, n + 1);
    if (!dependence->surface || !dependence->count)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t y = 0; y < side[1].n; y++)
        for (size_t x = 0; x < side[0].n; x++)
            dependence->surface[y * side[0].n + x] =
                answers(probe, probe->n, side[0].column, side[0].value[x], side[1].column,
                        side[1].value[y]);
    for (size_t i = 0; i < probe->input->n; i++) {
        double x = (double)probe->input->raw[i * probe->p + side[0].column];
        double y = (double)probe->input->raw[i * probe->p + side[1].column];
        if (!isnan(x) && !isnan(y))
            dependence->count[nearest(&side[1], y) * side[0].n + nearest(&side[0], x)]++;
    }
    dependence->has_surface = true;
    return STATUS_OK;
}

static void centre(double *values, size_t n)
{
    double mean = 0;
    for (size_t i = 0; i < n; i++)
        mean += values[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        values[i] -= mean;
}

/* Mean answers at the rows' own values of a and b: ret_at [n]. a == b: of one alone. */
static void at_own_values(struct probe *probe, size_t n, size_t a, size_t b, double *ret_at)
{
    for (size_t i = 0; i < n; i++) {
        const float *row = probe->input->raw + probe->rows[i] * probe->p;
        ret_at[i] = answers(probe, n, a, (double)row[a], b, (double)row[b]);
    }
    centre(ret_at, n);
}

static void find_interactions(struct probe *probe, struct dependence *dependence)
{
    size_t n = probe->n < H_ROWS ? probe->n : H_ROWS;
    size_t strong =
        dependence->n_curves < DEPENDENCE_MAX_STRONG ? dependence->n_curves : DEPENDENCE_MAX_STRONG;
    double alone[DEPENDENCE_MAX_STRONG][H_ROWS];
    double both[H_ROWS];
    for (size_t i = 0; i < strong; i++) {
        size_t column = dependence->curves[i].axis.column;
        at_own_values(probe, n, column, column, alone[i]);
    }
    for (size_t i = 0; i < strong; i++) {
        for (size_t j = i + 1; j < strong; j++) {
            const struct dependence_axis *a = &dependence->curves[i].axis;
            const struct dependence_axis *b = &dependence->curves[j].axis;
            double rest = 0;
            double all = 0;
            at_own_values(probe, n, a->column, b->column, both);
            for (size_t r = 0; r < n; r++) {
                rest += pow(both[r] - alone[i][r] - alone[j][r], 2);
                all += both[r] * both[r];
            }
            dependence->pairs[dependence->n_pairs++] = (struct dependence_pair){
                a->feature, b->feature, all > 0 ? sqrt(fmin(1.0, rest / all)) : 0};
        }
    }
}

/* The column of a numeric input, or n_columns. */
static size_t find_column(const struct feature_spec *spec, const char *name)
{
    for (size_t c = 0; c < spec->n_columns; c++)
        if (spec->columns[c].feature != FEATURE_N && strcmp(spec->columns[c].name, name) == 0)
            return c;
    return spec->n_columns;
}

enum status dependence_run(const struct dependence_input *input, struct dependence **ret_dependence,
                           struct error *err)
{
    if (input->n == 0)
        return fail(err, STATUS_INVALID, "no rows to look at a model with");
    AUTO(dependence_free_slot) struct dependence *dependence = calloc(1, sizeof *dependence);
    if (!dependence)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&dependence->memory, 16384);
    AUTO(probe_deinit) struct probe probe = {0};
    TRY(probe_init(&probe, input, err));
    for (size_t i = 0; i < input->n_names && dependence->n_curves < DEPENDENCE_MAX_CURVES; i++) {
        size_t column = find_column(input->spec, input->names[i]);
        if (column == input->spec->n_columns)
            continue;
        struct dependence_curve *curve = &dependence->curves[dependence->n_curves];
        TRY(make_curve(&probe, column, &dependence->memory, curve, err));
        dependence->n_curves += curve->axis.n > 1;
    }
    find_interactions(&probe, dependence);
    if (dependence->n_curves >= 2)
        TRY(make_surface(&probe, dependence, err));
    *ret_dependence = STEAL(dependence);
    return STATUS_OK;
}
