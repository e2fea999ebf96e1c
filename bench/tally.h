/* What the load generator has counted, and how it says so. */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include "histogram.h"

enum fault { WRONG_ID, WRONG_PROTOCOL, WRONG_LENGTH, WRONG_UNIT, WRONG_FUNCTION, EXCEPTION, WRONG_BYTE_COUNT, SURPLUS, FAULTS };

/* Waits, and how many of them were longer than the user called slow. */
struct waits {
    struct histogram latencies;
    uint64_t slow;
};

struct tally {
    uint64_t replies; /* right ones, in the counted seconds */
    uint64_t changed; /* of these, with another payload than the last answer to the same request */
    uint64_t bad[FAULTS];
    uint64_t lost;       /* connections */
    uint64_t unanswered; /* requests */
    uint64_t polls, empty_polls; /* looks at a socket with an outstanding request; those that found nothing */
    struct waits all;
    struct waits near_refresh;
};

/* Print one JSON object; `seconds` is the counted time. */
void print_tally(const struct tally *t, int connections, double seconds);

#endif
