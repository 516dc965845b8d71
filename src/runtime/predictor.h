/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A fitted model of any family, as the engine runs it: features in, one or more numbers out.
 *
 * The families' own rooms (linear.c, trees.c) define a plain in-memory model that a trainer fills,
 * its
 * `_write` into an artifact under a prefix, and its `_open` as validated views into the mapping. */
#include <stddef.h>
#include <stdint.h>

#include "artifact/artifact.h"
#include "base/status.h"
#include "features/spec.h"
#include "runtime/links.h"
#include "runtime/text.h"

/* ---- linear: output[o] = intercept[o] + sum_i weight[o][i] x[i], over scaled features ---- */

struct linear_model {
    size_t n_inputs, n_outputs;
    const double *weights; /* [n_outputs][n_inputs + 1], the intercept last */
};

enum status linear_write(struct artifact_writer *writer, const char *prefix,
                         const struct linear_model *model, struct error *err);

/* ---- trees: output[tree_output[t]] += leaf reached, over raw features (NaN takes the default way)
 * ---- */

struct tree_node {
    int32_t feature;      /* -1: a leaf */
    float value;          /* split: go left when x < value; leaf: what it adds */
    uint32_t left, right; /* node indices within the tree, greater than this node's own */
    uint8_t missing_left; /* NaN goes left */
    float cover;          /* sum of hessians that reached it: weights of TreeSHAP; > 0 */
};

#define TREES_MAX_DEPTH 64 /* splits on the way to a leaf */

struct tree_model {
    size_t n_inputs, n_outputs, n_trees;
    const double *base;            /* [n_outputs] */
    const uint32_t *tree_start;    /* [n_trees + 1] offsets into nodes */
    const uint32_t *tree_output;   /* [n_trees] */
    const struct tree_node *nodes; /* [tree_start[n_trees]] */
};

enum status trees_write(struct artifact_writer *writer, const char *prefix,
                        const struct tree_model *model, struct error *err);

/* ---- kernel: output[o] = intercept[o] + sum_v weight[o][v] k(x, row_v), over scaled features ----
 */

enum kernel_shape {
    KERNEL_GAUSS,   /* exp(-gamma sum (x - r)^2) */
    KERNEL_LAPLACE, /* exp(-gamma sum |x - r|) */
    N_KERNELS
};

struct kernel_model {
    size_t n_inputs, n_outputs, n_rows;
    enum kernel_shape shape;
    double gamma;          /* > 0 */
    const float *rows;     /* [n_rows][n_inputs] */
    const double *weights; /* [n_outputs][n_rows + 1], the intercept last */
};

enum status kernel_write(struct artifact_writer *writer, const char *prefix,
                         const struct kernel_model *model, struct error *err);

/* ---- nearest: what the nearest rows, over scaled features, have ---- */

enum nearest_answer {
    NEAREST_MEAN,
    NEAREST_MEDIAN,
    NEAREST_SHARES,   /* logits: ln of the shares of classes, shrunk by one row to the prior */
    NEAREST_WEIGHTED, /* the mean, by similarity and links */
    NEAREST_SPREAD, /* the same of shares that each row has of the classes; logits, shrunk alike */
    N_NEAREST_ANSWERS
};

#define NEAREST_MAX_K 256

struct nearest_model {
    size_t n_inputs, n_outputs, n_rows;
    size_t k; /* neighbours that are asked; 1 .. NEAREST_MAX_K, at most n_rows */
    enum nearest_answer answer;
    const float *rows;    /* [n_rows][n_inputs] */
    const double *values; /* [n_rows] the target; or the class, 0 .. n_outputs - 1; of
                           * NEAREST_SPREAD [n_rows][n_outputs] shares, >= 0 */
    const double *prior;  /* [n_outputs] shares of the classes, > 0; the target's mean */
    uint64_t seed;        /* of the index */
    /* Of NEAREST_WEIGHTED and NEAREST_SPREAD: a row counts 1 / (1 + distance), and beside the k
     * nearest those count that the profile is linked to. */
    const uint32_t *nodes; /* [n_rows] the rows as links know them, ascending; NULL: no links */
    double link_weight;    /* what a link counts times its own weight; > 0 where there are nodes */
};

enum status nearest_write(struct artifact_writer *writer, const char *prefix,
                          const struct nearest_model *model, struct error *err);

/* ---- blend: output[o] = sum_m weight[m] (member m's output[o]) ---- */

#define BLEND_MAX_MEMBERS 8

struct blend_model {
    size_t n_members;
    const double *weights;       /* [n_members] */
    const char *const *families; /* [n_members]; neither blend nor composite */
};

/* Call each member's own `_write` beside it, with blend_prefix() of its number. */
enum status blend_write(struct artifact_writer *writer, const char *prefix,
                        const struct blend_model *model, struct error *err);
struct artifact_tag blend_prefix(const char *prefix, size_t member);

/* ---- text: linear over scaled features, and over the TF-IDF weights of hashtags and brands ----
 */

struct text_model {
    size_t n_inputs, n_outputs, n_words;
    const double *weights;     /* [n_outputs][n_inputs + 1], the intercept last */
    const char *const *words;  /* [n_words] in lower case, no two alike */
    const float *idf;          /* [n_words] > 0 */
    const float *word_weights; /* [n_words][n_outputs] */
};

enum status text_write(struct artifact_writer *writer, const char *prefix,
                       const struct text_model *model, struct error *err);

/* ---- the predictor: the spec and one family, under one prefix ---- */

struct predictor;

/* What is known of a profile besides its features. Zeros: nothing. */
struct predictor_context {
    struct text_words words;
    struct link_list links; /* real edges to catalogued accounts */
};

/* Write spec and family tag; call linear_write(), trees_write(), ... with the same prefix beside
 * it. family: "linear", "trees", "kernel", "nearest", "text", or "composite", which has nothing of
 * its own and no outputs (see score_extra). */
enum status predictor_write(struct artifact_writer *writer, const char *prefix,
                            const struct feature_spec *spec, const char *family, struct error *err);

/* STATUS_CORRUPT: sections missing or wrong; NOT_FOUND without a message: nothing under that
 * prefix. */
enum status predictor_open(const struct artifact *artifact, const char *prefix,
                           struct predictor **ret_predictor, struct error *err);
void predictor_close(struct predictor *predictor);
DEFINE_SLOT(predictor_close, struct predictor)

const struct feature_spec *predictor_spec(const struct predictor *predictor);
size_t predictor_n_outputs(const struct predictor *predictor);
const char *predictor_family(const struct predictor *predictor);

/* Bytes of scratch, 64-byte aligned, for one call. */
size_t predictor_scratch_bytes(const struct predictor *predictor);

/* One row of raw features (feature_extract): ret_output: [n_outputs]. No allocation. */
void predictor_run(const struct predictor *predictor, const float *raw, void *scratch,
                   double *ret_output);

/* The same with what else is known of the profile, for families that look at it: to predictor_run()
 * and the others there is nothing. */
void predictor_run_with(const struct predictor *predictor, const float *raw,
                        const struct predictor_context *context, void *scratch, double *ret_output);

/* Whether what else is known can change the answer: whoever has to look it up may save it. */
bool predictor_reads_context(const struct predictor *predictor);

/* The same for many rows, equal to the last bit, faster a row when there are dozens.
 * raw: [n][n_columns]; ret_output: [n][n_outputs]. */
void predictor_run_rows(const struct predictor *predictor, const float *raw, size_t n,
                        void *scratch, double *ret_output);

/* The same as predictor_run_with(). contexts: [n]. */
void predictor_run_with_rows(const struct predictor *predictor, const float *raw,
                             const struct predictor_context *contexts, size_t n, void *scratch,
                             double *ret_output);

/* Contributions of each column to one output, ret_contribution: [n_columns]; returns the base,
 * which is what they add to: base + sum is predictor_run()'s output. Linear: weight times
 * the distance from the mean. Trees: exact TreeSHAP (Lundberg, Erion, Lee 2018, alg. 2). Kernel:
 * exact Shapley values against the mean row (up to 64 columns; close beyond). Nearest: none are
 * known, the base is the answer and all contributions are 0. Blend: the members', weighted. */
double predictor_explain(const struct predictor *predictor, const float *raw, size_t output,
                         void *scratch, double *ret_contribution);
