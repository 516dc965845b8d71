/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/turn.h"

#include "base/clock.h"
#include "serve/request.h"

#define TURN_NS UINT64_C(10000000)

bool turn_is_over(const struct request *request)
{
    struct turn *turn = request->turn;
    if (!turn)
        return false;
    if (turn->n_waiting > 0 && !request->has_turn)
        return true;
    uint64_t now_ns = clock_monotonic_ns();
    if (turn->ends_ns == 0)
        turn->ends_ns = now_ns + TURN_NS;
    return now_ns >= turn->ends_ns;
}
