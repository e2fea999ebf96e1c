/* What the load generator is asked to do; filled in by loadgen_options.c. */
#ifndef BENCH_LOADGEN_H
#define BENCH_LOADGEN_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_CONNECTIONS 1024
#define MAX_SECONDS 3600.0

/* One read of a Modbus TCP unit, and the last payload that answered it. */
struct request {
    uint16_t port;
    uint8_t unit;
    uint8_t function;
    uint16_t address;
    uint16_t count;
    bool is_answered;
    uint8_t payload[250];
};

struct options {
    const char *host;
    int connections;      /* per port */
    double warmup_s;
    double seconds;
    int64_t interval_ns;  /* between two requests of one connection; 0: as fast as the answers come */
    bool in_cycles;       /* the interval is between two rounds through all requests, which follow without pause */
    int64_t refresh_ns;   /* the server refreshes at multiples of this of the wall clock; 0: not asked */
    int64_t near_ns;      /* waits in this time after a refresh are told apart from the others */
    int64_t slow_ns;      /* a longer wait is counted as slow */
    uint64_t max_replies; /* 0: no limit but the time */
    bool spin;            /* busy-poll instead of sleeping in epoll */
    struct request *requests; /* sorted by port */
    int request_count;
};

/* Read the command line; ends the process with status 2 and a message when it makes no sense. */
struct options read_options(int argc, char **argv);

#endif
