/* Command line and plan files of the load generator. */
#include "loadgen.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "usage: loadgen (--port P [--unit U] [--function 3|4] [--address A] [--count C] | --plan FILE) [options]\n"
    "  --plan FILE        one read per line: port unit function address count; a connection repeats those of its port\n"
    "  --host IP          IPv4 address (127.0.0.1)\n"
    "  --connections N    per port, one outstanding request each (1)\n"
    "  --warmup S         seconds before counting (0.5)\n"
    "  --seconds S        seconds counted (1)\n"
    "  --interval-us U    time between two requests of one connection (0: none)\n"
    "  --cycle-us U       time between two rounds through all requests of a connection, each without pause (0: none)\n"
    "  --refresh-ms M     tell waits that meet the first part of each M ms of the wall clock from the others (0: do not)\n"
    "  --near-ms M        how long that first part is (100)\n"
    "  --slow-us U        count waits longer than this as slow (2000)\n"
    "  --max-replies N    stop after N counted replies (0: by time only)\n"
    "  --wait spin|epoll  busy-poll the sockets, or sleep until one is readable (spin)\n";

static void refuse(const char *message, const char *detail)
{
    fprintf(stderr, "loadgen: %s%s\n%s", message, detail, USAGE);
    exit(2);
}

static double number(const char *name, const char *text, double low, double high)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= low && value <= high))
        refuse("value out of range for ", name);
    return value;
}

static void check_request(const struct request *r)
{
    if (r->port == 0)
        refuse("a port is needed", "");
    if (r->function != 3 && r->function != 4)
        refuse("only functions 3 and 4 are known", "");
    if (r->count < 1 || r->count > 125)
        refuse("a read has 1 to 125 words", "");
}

static int by_port(const void *a, const void *b)
{
    const struct request *left = a, *right = b;
    return (left->port > right->port) - (left->port < right->port);
}

static void read_plan(const char *path, struct options *o)
{
    FILE *file = fopen(path, "r");
    unsigned port, unit, function, address, count;
    int capacity = 0, fields;
    if (file == NULL)
        refuse("cannot open ", path);
    while ((fields = fscanf(file, "%u %u %u %u %u", &port, &unit, &function, &address, &count)) == 5) {
        if (port > 65535 || unit > 255 || function > 255 || address > 65535 || count > 65535)
            refuse("a number is too big in ", path);
        if (o->request_count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            o->requests = realloc(o->requests, (size_t)capacity * sizeof *o->requests);
            if (o->requests == NULL)
                refuse("out of memory for ", path);
        }
        o->requests[o->request_count++] = (struct request){
            .port = (uint16_t)port, .unit = (uint8_t)unit, .function = (uint8_t)function,
            .address = (uint16_t)address, .count = (uint16_t)count};
    }
    fclose(file);
    if (fields != EOF || o->request_count == 0)
        refuse("five numbers a line are needed in ", path);
    qsort(o->requests, (size_t)o->request_count, sizeof *o->requests, by_port);
}

struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"host", 1, NULL, 'h'}, {"port", 1, NULL, 'p'}, {"unit", 1, NULL, 'u'}, {"function", 1, NULL, 'f'},
        {"address", 1, NULL, 'a'}, {"count", 1, NULL, 'c'}, {"plan", 1, NULL, 'P'}, {"connections", 1, NULL, 'n'},
        {"warmup", 1, NULL, 'w'}, {"seconds", 1, NULL, 's'}, {"interval-us", 1, NULL, 'i'}, {"cycle-us", 1, NULL, 'C'}, {"refresh-ms", 1, NULL, 'r'}, {"near-ms", 1, NULL, 'N'},
        {"slow-us", 1, NULL, 'l'}, {"max-replies", 1, NULL, 'm'}, {"wait", 1, NULL, 'W'}, {NULL, 0, NULL, 0}};
    struct options o = {.host = "127.0.0.1", .connections = 1, .warmup_s = 0.5, .seconds = 1.0,
                        .near_ns = 100000000, .slow_ns = 2000000, .spin = true};
    struct request single = {.unit = 1, .function = 3, .count = 100};
    const char *plan = NULL;
    int letter;
    while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (letter) {
        case 'h': o.host = optarg; break;
        case 'p': single.port = (uint16_t)number("--port", optarg, 1, 65535); break;
        case 'u': single.unit = (uint8_t)number("--unit", optarg, 0, 255); break;
        case 'f': single.function = (uint8_t)number("--function", optarg, 3, 4); break;
        case 'a': single.address = (uint16_t)number("--address", optarg, 0, 65535); break;
        case 'c': single.count = (uint16_t)number("--count", optarg, 1, 125); break;
        case 'P': plan = optarg; break;
        case 'n': o.connections = (int)number("--connections", optarg, 1, MAX_CONNECTIONS); break;
        case 'w': o.warmup_s = number("--warmup", optarg, 0, MAX_SECONDS); break;
        case 's': o.seconds = number("--seconds", optarg, 0.001, MAX_SECONDS); break;
        case 'i': o.interval_ns = (int64_t)(1000 * number("--interval-us", optarg, 0, 1e9)); break;
        case 'C':
            o.interval_ns = (int64_t)(1000 * number("--cycle-us", optarg, 0, 1e9));
            o.in_cycles = true;
            break;
        case 'r': o.refresh_ns = (int64_t)(1e6 * number("--refresh-ms", optarg, 0, 1e6)); break;
        case 'N': o.near_ns = (int64_t)(1e6 * number("--near-ms", optarg, 0, 1e6)); break;
        case 'l': o.slow_ns = (int64_t)(1000 * number("--slow-us", optarg, 0, 1e9)); break;
        case 'm': o.max_replies = (uint64_t)number("--max-replies", optarg, 0, 1e12); break;
        case 'W':
            if (strcmp(optarg, "spin") != 0 && strcmp(optarg, "epoll") != 0)
                refuse("--wait is spin or epoll, not ", optarg);
            o.spin = optarg[0] == 's';
            break;
        default: refuse("unknown option", "");
        }
    }
    if (optind != argc)
        refuse("unexpected argument ", argv[optind]);
    if (plan != NULL) {
        read_plan(plan, &o);
    } else {
        o.requests = malloc(sizeof single);
        if (o.requests == NULL)
            refuse("out of memory", "");
        o.requests[o.request_count++] = single;
    }
    for (int i = 0; i < o.request_count; i++)
        check_request(&o.requests[i]);
    return o;
}
