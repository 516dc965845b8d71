/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* libinfluence: what every call shares, and the check of a bundle that somebody sent.
 *
 * A function that can fail returns `enum ifl_status`; with anything but IFL_OK it leaves one
 * sentence in the `struct ifl_error`, which may be NULL, and writes none of its results. */

#define IFL_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

enum ifl_status {
    IFL_OK = 0,
    IFL_INVALID,     /* the caller's input: a value, a name */
    IFL_NOT_FOUND,   /* what was named does not exist */
    IFL_UNSUPPORTED, /* of a newer version, or not in this bundle */
    IFL_CORRUPT,     /* a file whose bytes cannot be right */
    IFL_NO_MEMORY,
    IFL_FAILED /* the operating system: see the message */
};

struct ifl_error {
    enum ifl_status status;
    char field[48]; /* the profile field at fault, "" when none */
    char message[512];
};

/* "0.1.0" */
IFL_API const char *ifl_version(void);

/* Check a bundle without using it: every file against the size and SHA-256 in the manifest, every
 * model as ifl_engine_open() does. path: a bundle, or a models directory, whose current one is
 * taken. IFL_CORRUPT names the file, the section and the reason. */
IFL_API enum ifl_status ifl_bundle_verify(const char *path, struct ifl_error *err);

#ifdef __cplusplus
}
#endif
