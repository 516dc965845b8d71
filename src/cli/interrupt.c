/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/interrupt.h"

#include <stddef.h>

#include "base/cleanup.h"

/* A signal handler has no other way to say something; written there only. */
static volatile sig_atomic_t interrupted;

static const int signals[] = {SIGINT, SIGTERM};
static struct sigaction before[ARRAY_LENGTH(signals)]; /* what was there */
static bool is_noting;

static void note(int number)
{
    (void)number;
    interrupted = 1;
}

const volatile sig_atomic_t *interrupt_flag(void)
{
    /* SA_RESETHAND: the second signal finds the default again. No SA_RESTART: sleeps end at once.
     */
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LENGTH(signals); i++)
        sigaction(signals[i], &action, is_noting ? NULL : &before[i]);
    is_noting = true;
    return &interrupted;
}

bool interrupt_end(void)
{
    for (size_t i = 0; i < ARRAY_LENGTH(signals) && is_noting; i++)
        sigaction(signals[i], &before[i], NULL);
    is_noting = false;
    return interrupted;
}
