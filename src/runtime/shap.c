/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/trees.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Exact Shapley values of a tree in O(leaves depth^2): Lundberg, Erion, Lee: Consistent
 * Individualized Feature Attribution for Tree Ensembles (2018), algorithm 2, whose names these are.
 * The covers stand for the distribution of what is not known. */

/* One feature on the way from the root: the share of the subsets that flow on here when the feature
 * is not in the subset (zero) and when it is (one), and the weight of the subsets by size. */
struct element {
    int32_t feature;
    double zero, one;
    double weight;
};

struct walk {
    const struct tree_nodes *nodes;
    size_t start;
    const float *x;
    double *contribution;
};

/* The way's features, by level: the caller's part, and behind it room for what is deeper. */
size_t shap_scratch_bytes(uint32_t max_depth)
{
    size_t levels = max_depth + 2;
    return levels * (levels + 1) / 2 * sizeof(struct element);
}

static void extend(struct element *path, size_t length, struct element last)
{
    path[length] = last;
    path[length].weight = length == 0 ? 1.0 : 0.0;
    double n = (double)(length + 1);
    for (size_t i = length; i-- > 0;) {
        path[i + 1].weight += last.one * path[i].weight * (double)(i + 1) / n;
        path[i].weight = last.zero * path[i].weight * (double)(length - i) / n;
    }
}

/* Take element `at` back out of a path of length + 1 elements. */
static void unwind(struct element *path, size_t length, size_t at)
{
    double one = path[at].one;
    double zero = path[at].zero;
    double n = (double)(length + 1);
    double next = path[length].weight;
    for (size_t i = length; i-- > 0;) {
        if (one != 0) {
            double weight = path[i].weight;
            path[i].weight = next * n / ((double)(i + 1) * one);
            next = weight - path[i].weight * zero * (double)(length - i) / n;
        } else {
            path[i].weight = path[i].weight * n / (zero * (double)(length - i));
        }
    }
    for (size_t i = at; i < length; i++) {
        path[i].feature = path[i + 1].feature;
        path[i].zero = path[i + 1].zero;
        path[i].one = path[i + 1].one;
    }
}

/* The sum of the weights that unwind() would leave. */
static double unwound_sum(const struct element *path, size_t length, size_t at)
{
    double one = path[at].one;
    double zero = path[at].zero;
    double n = (double)(length + 1);
    double next = path[length].weight;
    double total = 0;
    for (size_t i = length; i-- > 0;) {
        if (one != 0) {
            double weight = next * n / ((double)(i + 1) * one);
            total += weight;
            next = path[i].weight - weight * zero * (double)(length - i) / n;
        } else {
            total += path[i].weight * n / (zero * (double)(length - i));
        }
    }
    return total;
}

static void recurse(const struct walk *walk, uint32_t node, struct element *parent_path,
                    size_t length, struct element last)
{
    const struct tree_nodes *nodes = walk->nodes;
    size_t i = walk->start + node;
    struct element *path = parent_path + length;
    if (length > 0)
        memcpy(path, parent_path, length * sizeof *path);
    extend(path, length, last);
    if (nodes->feature[i] < 0) {
        for (size_t e = 1; e <= length; e++)
            walk->contribution[path[e].feature] += unwound_sum(path, length, e) *
                                                   (path[e].one - path[e].zero) *
                                                   (double)nodes->value[i];
        return;
    }
    int32_t feature = nodes->feature[i];
    float x = walk->x[feature];
    bool goes_left = isnan(x) ? nodes->missing_left[i] : x < nodes->value[i];
    uint32_t hot = goes_left ? nodes->left[i] : nodes->right[i];
    uint32_t cold = goes_left ? nodes->right[i] : nodes->left[i];
    double zero = 1;
    double one = 1;
    size_t e = 1;
    while (e <= length && path[e].feature != feature)
        e++;
    if (e <= length) { /* the way has split on this feature before */
        zero = path[e].zero;
        one = path[e].one;
        unwind(path, length, e);
        length--;
    }
    double cover = (double)nodes->cover[i];
    double hot_share = (double)nodes->cover[walk->start + hot] / cover;
    double cold_share = (double)nodes->cover[walk->start + cold] / cover;
    recurse(walk, hot, path, length + 1, (struct element){feature, hot_share * zero, one, 0});
    recurse(walk, cold, path, length + 1, (struct element){feature, cold_share * zero, 0, 0});
}

void shap_add_tree(const struct tree_nodes *nodes, size_t tree, const float *x, void *scratch,
                   double *ret_contribution)
{
    const struct walk walk = {nodes, nodes->start[tree], x, ret_contribution};
    recurse(&walk, 0, scratch, 0, (struct element){-1, 1, 1, 0});
}
