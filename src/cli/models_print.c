/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/models_print.h"

#include <math.h>

/* What a part of the manifest ("score", "tier") is chosen by: the figure of the model that ships.
 */
struct figure {
    const char *model; /* NULL: the bundle has no such model, or an exact formula */
    const char *metric;
    double mean, sd;
};

static struct figure find_figure(const struct json *part)
{
    struct figure figure = {
        .model = json_string_or(json_get(part, "chosen"), NULL),
        .metric = json_string_or(json_get(part, "selected_by"), NULL),
        .mean = NAN,
        .sd = NAN,
    };
    const struct json *entry = json_first(json_get(part, "leaderboard"));
    for (; entry && figure.metric; entry = json_next(entry)) {
        if (!json_bool_or(json_get(entry, "chosen"), false))
            continue;
        const struct json *value = json_get(json_get(entry, "metrics"), figure.metric);
        figure.mean = json_number_or(json_get(value, "mean"), NAN);
        figure.sd = json_number_or(json_get(value, "sd"), NAN);
    }
    return figure;
}

static void put_figure(struct json_writer *w, const char *key, const struct json *part)
{
    struct figure figure = find_figure(part);
    json_put_key(w, key);
    if (!figure.model) {
        json_put_null(w);
        return;
    }
    json_begin_object(w);
    json_member_string(w, "model", figure.model);
    json_member_string(w, "metric", figure.metric);
    json_member_number(w, "mean", figure.mean);
    json_member_number(w, "sd", figure.sd);
    json_end_object(w);
}

void models_put_info(struct json_writer *w, const struct bundle_info *info)
{
    json_begin_object(w);
    json_member_string(w, "id", info->id);
    json_member_bool(w, "current", info->is_current);
    json_member_bool(w, "previous", info->is_previous);
    json_member_string(w, "created", json_string_or(json_get(info->manifest, "created"), NULL));
    json_member_number(w, "rows", json_number_or(json_get(info->manifest, "rows"), NAN));
    json_member_bool(w, "synthetic", json_bool_or(json_get(info->manifest, "synthetic"), false));
    put_figure(w, "score", json_get(info->manifest, "score"));
    put_figure(w, "tier", json_get(info->manifest, "tier"));
    json_member_string(w, "problem", info->manifest ? NULL : info->problem);
    json_end_object(w);
}

static void print_figure(struct buffer *out, const struct json *part)
{
    struct figure figure = find_figure(part);
    if (figure.model)
        buffer_put_text(out, figure.model);
    if (figure.model && figure.metric && !isnan(figure.mean))
        buffer_printf(out, " %s %.3f", figure.metric, figure.mean);
    if (figure.model && figure.metric && !isnan(figure.sd))
        buffer_printf(out, " +- %.3f", figure.sd);
}

void models_print_info(struct buffer *out, const struct bundle_info *info)
{
    buffer_printf(out, "%c %s  ", info->is_current ? '*' : info->is_previous ? '-' : ' ', info->id);
    if (!info->manifest) {
        buffer_printf(out, "damaged: %s\n", info->problem);
        return;
    }
    buffer_printf(out, "%9.0f rows%s  ", json_number_or(json_get(info->manifest, "rows"), NAN),
                  json_bool_or(json_get(info->manifest, "synthetic"), false) ? " (synthetic)" : "");
    print_figure(out, json_get(info->manifest, "score"));
    buffer_put_text(out, "  ");
    print_figure(out, json_get(info->manifest, "tier"));
    buffer_put_char(out, '\n');
}

static void print_data(struct buffer *out, const struct json *data)
{
    for (const struct json *file = json_first(data); file; file = json_next(file)) {
        const char *month = json_string_or(json_get(file, "month"), "");
        buffer_printf(out, "data        %s%s%s, %.0f rows\n",
                      json_string_or(json_get(file, "name"), "?"), month[0] ? "@" : "", month,
                      json_number_or(json_get(file, "rows"), NAN));
    }
}

static void print_score(struct buffer *out, const struct json *score)
{
    buffer_printf(out, "score       %s: ", json_string_or(json_get(score, "target"), "?"));
    print_figure(out, score);
    double covered = json_number_or(json_get(score, "interval_covered"), NAN);
    if (!isnan(covered))
        buffer_printf(out, "; its %.0f %% intervals covered %.1f %%",
                      100 * json_number_or(json_get(score, "interval_coverage"), NAN),
                      100 * covered);
    buffer_put_char(out, '\n');
}

void models_print_manifest(struct buffer *out, const struct json *manifest)
{
    buffer_printf(out, "id          %s\n", json_string_or(json_get(manifest, "id"), "?"));
    buffer_printf(out, "created     %s by influence %s\n",
                  json_string_or(json_get(manifest, "created"), "?"),
                  json_string_or(json_get(manifest, "influence"), "?"));
    if (json_bool_or(json_get(manifest, "synthetic"), false))
        buffer_put_text(out, "careful     made from synthetic data\n");
    print_data(out, json_get(manifest, "data"));
    if (json_get(manifest, "score"))
        print_score(out, json_get(manifest, "score"));
    const struct json *tier = json_get(manifest, "tier");
    if (tier) {
        buffer_printf(out, "tier        %s: ", json_string_or(json_get(manifest, "tiers"), "?"));
        print_figure(out, tier);
        buffer_put_char(out, '\n');
    }
    const struct json *archetypes = json_get(manifest, "archetypes");
    if (archetypes)
        buffer_printf(out, "archetypes  %.0f, silhouette %.2f\n",
                      json_number_or(json_get(archetypes, "k"), NAN),
                      json_number_or(json_get(archetypes, "silhouette"), NAN));
    const struct json *warning = json_first(json_get(manifest, "warnings"));
    for (; warning; warning = json_next(warning))
        buffer_printf(out, "careful     %s\n", json_string_or(warning, "?"));
    const struct json *file = json_first(json_get(manifest, "files"));
    for (; file; file = json_next(file))
        buffer_printf(out, "file        %s, %.0f bytes\n",
                      json_string_or(json_get(file, "name"), "?"),
                      json_number_or(json_get(file, "bytes"), NAN));
}
