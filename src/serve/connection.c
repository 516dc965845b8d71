/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/connection.h"

void connection_add(struct connection_lists *lists, struct connection *connection, enum phase phase,
                    uint64_t now_ns)
{
    connection->phase = phase;
    connection->since_ns = now_ns;
    connection->next = NULL;
    connection->previous = lists->last[phase];
    if (lists->last[phase])
        lists->last[phase]->next = connection;
    else
        lists->first[phase] = connection;
    lists->last[phase] = connection;
    lists->n++;
}

void connection_remove(struct connection_lists *lists, struct connection *connection)
{
    enum phase phase = connection->phase;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        lists->first[phase] = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    else
        lists->last[phase] = connection->previous;
    lists->n--;
}

void connection_move(struct connection_lists *lists, struct connection *connection,
                     enum phase phase, uint64_t now_ns)
{
    connection_remove(lists, connection);
    connection_add(lists, connection, phase, now_ns);
}

struct connection *connection_expired(const struct connection_lists *lists, uint64_t now_ns)
{
    for (size_t phase = 0; phase < N_PHASES; phase++) {
        struct connection *oldest = lists->first[phase];
        if (oldest && lists->limit_ns[phase] > 0 &&
            now_ns - oldest->since_ns >= lists->limit_ns[phase])
            return oldest;
    }
    return NULL;
}

int connection_wait_ms(const struct connection_lists *lists, uint64_t now_ns, int most)
{
    uint64_t wait_ns = (uint64_t)most * 1000000;
    for (size_t phase = 0; phase < N_PHASES; phase++) {
        const struct connection *oldest = lists->first[phase];
        if (!oldest || lists->limit_ns[phase] == 0)
            continue;
        uint64_t deadline = oldest->since_ns + lists->limit_ns[phase];
        uint64_t left = deadline > now_ns ? deadline - now_ns : 0;
        if (left < wait_ns)
            wait_ns = left;
    }
    /* Rounded up: waking too early would spin. */
    return (int)((wait_ns + 999999) / 1000000);
}
