/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/intervals.h"

#include <math.h>

enum {
    CUT,
    LOW,
    HIGH,
    N_COLUMNS
};

size_t interval_group(const struct interval_rule *rule, double followers)
{
    if (isnan(followers) || rule->n_groups == 0)
        return rule->n_groups;
    size_t group = 0;
    while (group + 1 < rule->n_groups && followers >= rule->cuts[group])
        group++;
    return group;
}

double interval_spread(const struct interval_rule *rule, double predicted)
{
    size_t n = rule->n_knots;
    if (n == 0)
        return 1;
    if (!(predicted > rule->knots[0].at))
        return rule->knots[0].spread;
    size_t i = 1;
    while (i < n && rule->knots[i].at < predicted)
        i++;
    if (i == n)
        return rule->knots[n - 1].spread;
    double share =
        (predicted - rule->knots[i - 1].at) / (rule->knots[i].at - rule->knots[i - 1].at);
    return rule->knots[i - 1].spread + share * (rule->knots[i].spread - rule->knots[i - 1].spread);
}

struct interval_offsets interval_at(const struct interval_rule *rule, double predicted,
                                    double followers)
{
    struct interval_offsets offsets = rule->offsets[interval_group(rule, followers)];
    double spread = interval_spread(rule, predicted);
    return (struct interval_offsets){offsets.low * spread, offsets.high * spread};
}

enum status interval_rule_write(struct artifact_writer *writer, const char *prefix,
                                const struct interval_rule *rule, struct error *err)
{
    double groups[INTERVAL_MAX_GROUPS + 1][N_COLUMNS] = {0};
    double knots[INTERVAL_MAX_KNOTS][2];
    for (size_t g = 0; g <= rule->n_groups; g++) {
        groups[g][CUT] = g + 1 < rule->n_groups ? rule->cuts[g] : 0;
        groups[g][LOW] = rule->offsets[g].low;
        groups[g][HIGH] = rule->offsets[g].high;
    }
    for (size_t i = 0; i < rule->n_knots; i++) {
        knots[i][0] = rule->knots[i].at;
        knots[i][1] = rule->knots[i].spread;
    }
    TRY(artifact_add(writer, artifact_join(prefix, "groups").text, ARTIFACT_F64, rule->n_groups + 1,
                     N_COLUMNS, groups, err));
    return artifact_add(writer, artifact_join(prefix, "spread").text, ARTIFACT_F64, rule->n_knots,
                        2, knots, err);
}

static enum status wrong(const struct artifact *artifact, const struct artifact_tag *tag,
                         const char *what, struct error *err)
{
    return fail(err, STATUS_CORRUPT, "%s: section '%s': %s", artifact_name(artifact), tag->text,
                what);
}

static enum status read_groups(const struct artifact *artifact, const struct artifact_tag *tag,
                               struct interval_rule *rule, struct error *err)
{
    struct artifact_section section;
    TRY(artifact_need(artifact, tag->text, ARTIFACT_F64, ARTIFACT_ANY, N_COLUMNS, &section, err));
    if (section.rows == 0 || section.rows > INTERVAL_MAX_GROUPS + 1)
        return wrong(artifact, tag, "none, or too many", err);
    const double *groups = section.data;
    rule->n_groups = section.rows - 1;
    for (size_t g = 0; g <= rule->n_groups; g++) {
        const double *group = groups + g * N_COLUMNS;
        rule->offsets[g] = (struct interval_offsets){group[LOW], group[HIGH]};
        if (group[LOW] > group[HIGH])
            return wrong(artifact, tag, "its ends are crossed", err);
        if (g + 1 >= rule->n_groups)
            continue;
        rule->cuts[g] = group[CUT];
        if (g > 0 && rule->cuts[g] <= rule->cuts[g - 1])
            return wrong(artifact, tag, "the cuts do not ascend", err);
    }
    return STATUS_OK;
}

static enum status read_spread(const struct artifact *artifact, const struct artifact_tag *tag,
                               struct interval_rule *rule, struct error *err)
{
    struct artifact_section section;
    TRY(artifact_need(artifact, tag->text, ARTIFACT_F64, ARTIFACT_ANY, 2, &section, err));
    if (section.rows > INTERVAL_MAX_KNOTS)
        return wrong(artifact, tag, "too many knots", err);
    const double *knots = section.data;
    rule->n_knots = section.rows;
    for (size_t i = 0; i < rule->n_knots; i++) {
        rule->knots[i].at = knots[2 * i];
        rule->knots[i].spread = knots[2 * i + 1];
        if (!(rule->knots[i].spread > 0) || (i > 0 && knots[2 * i] <= knots[2 * i - 2]))
            return wrong(artifact, tag, "is not above 0, or does not ascend", err);
    }
    return STATUS_OK;
}

enum status interval_rule_read(const struct artifact *artifact, const char *prefix,
                               struct interval_rule *ret_rule, struct error *err)
{
    const struct artifact_tag groups = artifact_join(prefix, "groups");
    const struct artifact_tag spread = artifact_join(prefix, "spread");
    struct artifact_section section;
    if (artifact_find(artifact, groups.text, &section) != STATUS_OK)
        return STATUS_NOT_FOUND;
    struct interval_rule rule = {0};
    TRY(read_groups(artifact, &groups, &rule, err));
    TRY(read_spread(artifact, &spread, &rule, err));
    *ret_rule = rule;
    return STATUS_OK;
}
