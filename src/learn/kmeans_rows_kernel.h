/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel of kmeans_rows.c, once for each width: included with
 *
 *   NAME, TARGET   the function's name, and its attributes
 *   LANES          doubles of a register: 2, 4 or 8
 *   REALS, IDS     a register of them, and of as many integers
 *   PUT(low, high, to)  a column of four rows and four more, as KMEANS_LANES doubles; stored as it
 *                       will be loaded: a load over two stores would wait for them
 *   ADD(row, sums)      eight floats to eight doubles
 */
#define VECTORS (KMEANS_LANES / LANES)

/* Columns [j, j + 4) of four rows. */
TARGET static inline void PART(NAME, turn)(const float *const *row, size_t j,
                                           four_floats ret_column[static 4])
{
    four_floats a = FOUR_AT(row[0] + j);
    four_floats b = FOUR_AT(row[1] + j);
    four_floats c = FOUR_AT(row[2] + j);
    four_floats d = FOUR_AT(row[3] + j);
    four_floats ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    four_floats ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    four_floats cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    four_floats cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    ret_column[0] = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    ret_column[1] = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    ret_column[2] = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    ret_column[3] = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

/* Eight rows as columns; past the end the last row again. */
TARGET static inline void PART(NAME, fill)(const struct kmeans_rows *job, size_t begin)
{
    const float *row[KMEANS_LANES];
    size_t p = job->p;
    for (size_t lane = 0; lane < KMEANS_LANES; lane++) {
        size_t at = begin + lane < job->n ? begin + lane : job->n - 1;
        row[lane] = job->rows + at * p;
    }
    for (size_t next = 0; p >= 4 && next < p; next += 4) {
        size_t j = next + 4 <= p ? next : p - 4; /* the last four may be met again */
        four_floats low[4];
        four_floats high[4];
        PART(NAME, turn)(row, j, low);
        PART(NAME, turn)(row + 4, j, high);
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            PUT(low[i], high[i], job->tile + (j + i) * KMEANS_LANES);
    }
    for (size_t j = 0; p < 4 && j < p; j++)
        for (size_t lane = 0; lane < KMEANS_LANES; lane++)
            job->tile[j * KMEANS_LANES + lane] = (double)row[lane][j];
}

/* Of the tile's rows. */
TARGET static inline void PART(NAME, find)(const struct kmeans_rows *job, uint32_t *ret_cluster,
                                           double *ret_distance)
{
    REALS nearest[VECTORS];
    IDS cluster[VECTORS];
    for (size_t v = 0; v < VECTORS; v++) {
        nearest[v] = (REALS){0} + (double)INFINITY;
        cluster[v] = (IDS){0};
    }
    for (size_t c = 0; c < job->k; c += TOGETHER) {
        const REALS *tile = (const REALS *)job->tile;
        const double *centroid[TOGETHER];
        REALS sum[TOGETHER][VECTORS] = {{{0}}};
        for (size_t i = 0; i < TOGETHER; i++) /* past the end the last one again: it is no nearer */
            centroid[i] = job->centroids + (c + i < job->k ? c + i : job->k - 1) * job->p;
        for (size_t j = 0; j < job->p; j++, tile += VECTORS) {
#pragma GCC unroll 8
            for (size_t i = 0; i < TOGETHER; i++) {
#pragma GCC unroll 8
                for (size_t v = 0; v < VECTORS; v++) {
                    REALS difference = tile[v] - centroid[i][j];
                    sum[i][v] += difference * difference;
                }
            }
        }
#pragma GCC unroll 8
        for (size_t i = 0; i < TOGETHER; i++) {
#pragma GCC unroll 8
            for (size_t v = 0; v < VECTORS; v++) {
                IDS closer = sum[i][v] < nearest[v];
                nearest[v] = (REALS)(((IDS)sum[i][v] & closer) | ((IDS)nearest[v] & ~closer));
                cluster[v] = (((IDS){0} + (int64_t)(c + i)) & closer) | (cluster[v] & ~closer);
            }
        }
    }
    for (size_t lane = 0; lane < KMEANS_LANES; lane++) {
        ret_cluster[lane] = (uint32_t)cluster[lane / LANES][lane % LANES];
        ret_distance[lane] = nearest[lane / LANES][lane % LANES];
    }
}

/* To the sums, the tile's first n rows. */
TARGET static inline void PART(NAME, gather)(const struct kmeans_rows *job, size_t begin, size_t n,
                                             const uint32_t *cluster)
{
    size_t p = job->p;
    size_t stride = kmeans_stride(p);
    bool is_padded = (begin + n - 1) * p + stride <= job->n * p; /* by the rows behind */
    for (size_t lane = 0; lane < n; lane++) {
        const float *row = job->rows + (begin + lane) * p;
        double *sums = job->sums + cluster[lane] * stride;
        job->sizes[cluster[lane]]++;
        for (size_t j = 0; is_padded && j < p; j += 8)
            ADD(row + j, sums + j);
        for (size_t j = 0; !is_padded && j < p; j++)
            sums[j] += (double)row[j];
    }
}

TARGET static void NAME(const struct kmeans_rows *job, uint32_t *ret_cluster, double *ret_distance)
{
    for (size_t begin = 0; begin < job->n; begin += KMEANS_LANES) {
        uint32_t cluster[KMEANS_LANES];
        double distance[KMEANS_LANES];
        size_t n = job->n - begin < KMEANS_LANES ? job->n - begin : KMEANS_LANES;
        PART(NAME, fill)(job, begin);
        PART(NAME, find)(job, cluster, distance);
        memcpy(ret_cluster + begin, cluster, n * sizeof cluster[0]);
        memcpy(ret_distance + begin, distance, n * sizeof distance[0]);
        if (job->sums)
            PART(NAME, gather)(job, begin, n, cluster);
    }
}

#undef VECTORS
#undef NAME
#undef TARGET
#undef LANES
#undef REALS
#undef IDS
#undef PUT
#undef ADD
