/* The load generator's report: one JSON object on standard output. */
#include "tally.h"

#include <stdio.h>

static const char *const FAULT_NAMES[FAULTS] = {
    "transaction_id", "protocol_id", "length", "unit", "function", "exception", "byte_count", "surplus"};

static void print_count(const char *name, uint64_t count)
{
    printf("\"%s\": %llu, ", name, (unsigned long long)count);
}

static void print_waits(const char *name, const struct waits *w)
{
    const struct histogram *h = &w->latencies;
    double mean_us = h->count ? (double)h->sum_ns / 1000.0 / (double)h->count : 0.0;
    printf("\"%s\": {\"count\": %llu, \"slow\": %llu, \"mean_us\": %.1f, ", name, (unsigned long long)h->count,
           (unsigned long long)w->slow, mean_us);
    printf("\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, ", histogram_quantile(h, 0.5),
           histogram_quantile(h, 0.9), histogram_quantile(h, 0.99));
    printf("\"p99_9_us\": %.1f, \"max_us\": %.1f}", histogram_quantile(h, 0.999), (double)h->max_ns / 1000.0);
}

void print_tally(const struct tally *t, int connections, double seconds)
{
    uint64_t bad = 0;
    for (int f = 0; f < FAULTS; f++)
        bad += t->bad[f];
    printf("{\"connections\": %d, \"seconds\": %.6f, \"rate\": %.1f, ", connections, seconds, (double)t->replies / seconds);
    print_count("replies", t->replies);
    print_count("changed", t->changed);
    print_count("lost", t->lost);
    print_count("unanswered", t->unanswered);
    print_count("bad", bad);
    printf("\"bad_by_reason\": {");
    for (int f = 0; f < FAULTS; f++)
        printf("%s\"%s\": %llu", f ? ", " : "", FAULT_NAMES[f], (unsigned long long)t->bad[f]);
    printf("}, \"idle\": %.4f, ", t->polls ? (double)t->empty_polls / (double)t->polls : 0.0);
    print_waits("waits", &t->all);
    printf(", ");
    print_waits("waits_near_refresh", &t->near_refresh);
    printf("}\n");
}
