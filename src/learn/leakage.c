/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/leakage.h"

#include <math.h>

#include "base/cleanup.h"

#define F(field) | (UINT64_C(1) << PROFILE_##field)

/* Of the edges file, by kind: what edges_in and edges_out add up; and what its network makes. */
#define DEGREES_IN (0 F(comments_in) F(tags_in) F(mentions_in) F(follows_in))
#define DEGREES_OUT (0 F(comments_out) F(tags_out) F(mentions_out) F(follows_out))
#define PLACES (0 F(net_pagerank) F(net_core) F(net_clustering) F(net_betweenness))

/* target -> what gives it away. Growth is hidden with followers because the month before is nearly
 * the month itself; the parts of a rate are hidden with the rate because they divide into it. */
static const struct {
    uint64_t target;
    uint64_t hides;
} identities[] = {
    {0 F(followers), 0 F(engagement_rate) F(previous_followers)},
    {0 F(previous_followers), 0 F(followers)},
    {0 F(engagement_rate), 0 F(avg_likes) F(avg_comments) F(recent_avg_likes) F(avg_engagement)
                               F(authentic_engagement) F(total_likes) F(previous_engagement)
                                   F(post_ln_likes) F(post_ln_comments) F(post_ln_views)},
    {0 F(avg_likes), 0 F(total_likes) F(avg_engagement) F(engagement_rate) F(post_ln_likes)},
    {0 F(recent_avg_likes), 0 F(engagement_rate)},
    {0 F(total_likes), 0 F(avg_likes)},
    {0 F(posts), 0 F(total_likes)},
    {0 F(avg_comments), 0 F(avg_engagement) F(post_ln_comments)},
    {0 F(avg_engagement),
     0 F(avg_likes) F(engagement_rate) F(authentic_engagement) F(previous_engagement)},
    {0 F(authentic_engagement), 0 F(avg_engagement)},
    {0 F(previous_engagement), 0 F(avg_engagement)},
    /* What a posts file gives are the same figures of the posts seen. */
    {0 F(avg_likes) F(recent_avg_likes) F(total_likes) F(avg_engagement), 0 F(post_ln_likes)},
    {0 F(avg_comments), 0 F(post_ln_comments)},
    {0 F(avg_views), 0 F(post_ln_views)},
    {0 F(post_ln_likes), 0 F(avg_likes) F(recent_avg_likes) F(total_likes) F(avg_engagement)
                             F(engagement_rate) F(post_comments_per_like)},
    {0 F(post_ln_comments), 0 F(avg_comments) F(post_comments_per_like)},
    {0 F(post_ln_views), 0 F(avg_views)},
    {0 F(post_comments_per_like), 0 F(post_ln_likes) F(post_ln_comments)},
    {0 F(edges_in), DEGREES_IN},
    {DEGREES_IN, 0 F(edges_in)},
    {0 F(edges_out), DEGREES_OUT},
    {DEGREES_OUT, 0 F(edges_out)},
    /* One edges file makes them all. */
    {0 F(edges_in) F(edges_out) | DEGREES_IN | DEGREES_OUT, PLACES},
    {PLACES, PLACES F(edges_in) F(edges_out) | DEGREES_IN | DEGREES_OUT},
};

uint64_t leakage_closure(uint64_t targets)
{
    uint64_t hidden = targets;
    for (size_t i = 0; i < ARRAY_LENGTH(identities); i++)
        if (targets & identities[i].target)
            hidden |= identities[i].hides;
    return hidden;
}

uint64_t leakage_derived(const struct table *table, uint64_t hidden)
{
    uint64_t derived = 0;
    for (size_t row = 0; row < table->n_rows; row++) {
        struct profile whole;
        table_profile(table, row, &whole);
        struct profile blanked = whole;
        for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
            if (hidden >> i & 1)
                blanked.number[i] = MISSING;
        feature_prepare(&whole);
        feature_prepare(&blanked);
        for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
            if (!isnan(whole.number[i]) && !(whole.number[i] == blanked.number[i]))
                derived |= UINT64_C(1) << i;
    }
    return derived & ~hidden;
}

uint64_t leakage_hidden(const struct table *table, uint64_t targets)
{
    uint64_t hidden = leakage_closure(targets);
    return hidden | leakage_derived(table, hidden);
}
