/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Characters in a line of stdout: of the terminal, or 110 where it is none. */
int terminal_width(void);
