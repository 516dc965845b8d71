/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Included before everything when clang-tidy runs (`./dev lint`). Its analyzer sees one source file
 * at a time and would otherwise follow paths on which fail() returns STATUS_OK. */
#include "base/status.h"

#define fail(err, status, ...) ((void)fail(err, status, __VA_ARGS__), (status))
#define fail_field(err, status, ...) ((void)fail_field(err, status, __VA_ARGS__), (status))
#define fail_errno(...) ((void)fail_errno(__VA_ARGS__), STATUS_IO)
