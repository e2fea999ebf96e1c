/* Latencies counted in buckets of 1 us up to 200 ms; longer ones share the last bucket, the maximum is exact. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 200001

struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
    int64_t sum_ns;
    int64_t max_ns;
};

static inline void histogram_add(struct histogram *h, int64_t ns)
{
    int64_t us = ns / 1000;
    h->buckets[us < HISTOGRAM_BUCKETS ? us : HISTOGRAM_BUCKETS - 1]++;
    h->count++;
    h->sum_ns += ns;
    if (ns > h->max_ns)
        h->max_ns = ns;
}

/* Upper edge, in us, of the bucket that holds the given share (0..1) of all latencies; never above the maximum. */
static inline double histogram_quantile(const struct histogram *h, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)h->count);
    uint64_t seen = 0;
    double max_us = (double)h->max_ns / 1000.0;
    for (int us = 0; us < HISTOGRAM_BUCKETS - 1; us++) {
        seen += h->buckets[us];
        if (seen > wanted)
            return us + 1.0 < max_us ? us + 1.0 : max_us;
    }
    return max_us;
}

#endif
