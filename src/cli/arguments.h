/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The words of the command line, where every user of the machine can read them: passwords in URIs
 * are taken out of there as the program starts. */

/* A copy of all words, ended by NULL, in one block: the caller owns it and frees it once, whatever
 * order the commands bring the pointers into. In argv itself, what stands between ':' and '@' of a
 * URI and behind its '?' is overwritten. NULL: out of memory. */
char **arguments_take(int argc, char **argv);
