/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel of trees_rows.c, once for each width: included with
 *
 *   NAME      the function's name
 *   TARGET    its attributes
 *   VECTOR    a register of LANES floats
 *   MASK      what a comparison gives
 *   LOAD(p), STORE(p, v), ALL(f), ADD(a, b)
 *   LESS(a, b)          MASK: a < b, false for NaN
 *   PICK(mask, yes, no) VECTOR
 */
#define VECTORS (TREES_ROWS / LANES)

/* x against the node's threshold, in place; the row of x is its feature's. */
#define GOES_LEFT(node, v) \
    LESS(LOAD(x + (size_t)(node)->feature * TREES_ROWS + (v)*LANES), (node##_at))

TARGET static void NAME(const struct tree_group *group, const float *x, const uint32_t *output,
                        float *sum)
{
    VECTOR value[1 << (TREES_ROWS_DEPTH - 2)][VECTORS]; /* of the subtrees, level by level */
    for (uint32_t lane = 0; lane < group->n_trees; lane++) {
        const struct fast_node *nodes = group->nodes + lane;
        const float *leaves = group->leaves + lane;
        float *to = sum + (size_t)output[lane] * TREES_ROWS;
        size_t n = (size_t)1 << group->depth >> 2; /* splits of the last level but one */
        for (size_t j = 0; j < n; j++) { /* a split, its two below, and their four leaves */
            const struct fast_node *top = &nodes[(n + j) * TREES_LANES];
            const struct fast_node *one = &nodes[2 * (n + j) * TREES_LANES];
            const struct fast_node *two = one + TREES_LANES;
            const float *leaf = leaves + 4 * j * TREES_LANES;
            VECTOR top_at = ALL(top->value);
            VECTOR one_at = ALL(one->value);
            VECTOR two_at = ALL(two->value);
            VECTOR leaf_0 = ALL(leaf[0]);
            VECTOR leaf_1 = ALL(leaf[TREES_LANES]);
            VECTOR leaf_2 = ALL(leaf[2 * TREES_LANES]);
            VECTOR leaf_3 = ALL(leaf[3 * TREES_LANES]);
#pragma GCC unroll 16
            for (size_t v = 0; v < VECTORS; v++)
                value[j][v] = PICK(GOES_LEFT(top, v), PICK(GOES_LEFT(one, v), leaf_0, leaf_1),
                                   PICK(GOES_LEFT(two, v), leaf_2, leaf_3));
        }
        for (n /= 2; n > 0; n /= 2) {
            for (size_t j = 0; j < n; j++) {
                const struct fast_node *top = &nodes[(n + j) * TREES_LANES];
                VECTOR top_at = ALL(top->value);
#pragma GCC unroll 16
                for (size_t v = 0; v < VECTORS; v++)
                    value[j][v] = PICK(GOES_LEFT(top, v), value[2 * j][v], value[2 * j + 1][v]);
            }
        }
        if (group->depth == 1) {
            const struct fast_node *top = &nodes[TREES_LANES];
            VECTOR top_at = ALL(top->value);
            VECTOR leaf_0 = ALL(leaves[0]);
            VECTOR leaf_1 = ALL(leaves[TREES_LANES]);
            for (size_t v = 0; v < VECTORS; v++)
                value[0][v] = PICK(GOES_LEFT(top, v), leaf_0, leaf_1);
        }
        for (size_t v = 0; group->depth == 0 && v < VECTORS; v++)
            value[0][v] = ALL(leaves[0]);
#pragma GCC unroll 16
        for (size_t v = 0; v < VECTORS; v++)
            STORE(to + v * LANES, ADD(LOAD(to + v * LANES), value[0][v]));
    }
}

#undef GOES_LEFT
#undef VECTORS
#undef NAME
#undef TARGET
#undef VECTOR
#undef LANES
#undef MASK
#undef LOAD
#undef STORE
#undef ALL
#undef ADD
#undef LESS
#undef PICK
