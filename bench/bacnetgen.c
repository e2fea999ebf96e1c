/*
 * BACnet/IP load generator: N sockets with one outstanding request each, every reply checked.
 *
 * Requests are made beforehand and sent in turn, each with an invoke id that its socket counts up. It reads the
 * sockets round robin and never sleeps, so that its core is not what limits the figure.
 *
 *   bacnetgen --port P --requests FILE --connections N --seconds S --warmup W --bytes B
 *
 * FILE holds each request behind its length in two bytes and the place of its invoke id in one. A right reply is a
 * whole BACnet/IP datagram with a ComplexACK for the invoke id and the service of its request, in B bytes or more.
 *
 * Prints one JSON object. Status 0: it ran (look at "bad"), 1: no socket, 2: bad command line.
 */
#include "clock.h"
#include "histogram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_REQUESTS 1024
#define MAX_REQUEST 600
#define MAX_CONNECTIONS 1024
#define MAX_REPLY 2048
#define LOST_NS (5 * NS_PER_S) /* after this, an answer will not come, and the next request is sent */

enum { BVLL = 0x81, ORIGINAL_UNICAST = 0x0A, HAS_DESTINATION = 0x20, HAS_SOURCE = 0x08, COMPLEX_ACK = 0x30 };

struct request {
    uint8_t bytes[MAX_REQUEST];
    size_t size;
    size_t invoke_at;
};

struct connection {
    int fd;
    int next;
    uint8_t invoke;
    const struct request *asked;
    int64_t sent_ns;
};

static struct histogram waits;
static uint64_t replies, bad, lost;

static void fail(const char *what)
{
    fprintf(stderr, "bacnetgen: %s\n", what);
    exit(2);
}

static int read_requests(const char *path, struct request *requests)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail("no file of requests");
    int count = 0;
    uint8_t head[3];
    while (count < MAX_REQUESTS && fread(head, 1, 3, file) == 3) {
        struct request *r = &requests[count++];
        r->size = (size_t)(head[0] << 8 | head[1]);
        r->invoke_at = head[2];
        if (r->size > MAX_REQUEST || r->invoke_at + 1 >= r->size || fread(r->bytes, 1, r->size, file) != r->size)
            fail("a request cannot be read");
    }
    fclose(file);
    if (count == 0)
        fail("no requests");
    return count;
}

/* Whether a datagram acknowledges the request that the connection has sent. */
static bool is_right(const uint8_t *reply, size_t size, size_t shortest, const struct connection *c)
{
    if (size < 9 || size < shortest || reply[0] != BVLL || reply[1] != ORIGINAL_UNICAST
        || (size_t)(reply[2] << 8 | reply[3]) != size || reply[4] != 1)
        return false;
    size_t at = 6;
    if (reply[5] & HAS_DESTINATION)
        at += 3 + (size_t)reply[at + 2];
    if ((reply[5] & HAS_SOURCE) && at + 2 < size)
        at += 3 + (size_t)reply[at + 2];
    if (reply[5] & HAS_DESTINATION)
        at += 1;
    return at + 3 <= size && reply[at] == COMPLEX_ACK && reply[at + 1] == c->invoke
           && reply[at + 2] == c->asked->bytes[c->asked->invoke_at + 1];
}

static int open_socket(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("bacnetgen");
        exit(1);
    }
    return fd;
}

static void ask(struct connection *c, struct request *requests, int count)
{
    struct request *r = &requests[c->next];
    c->next = (c->next + 1) % count;
    r->bytes[r->invoke_at] = ++c->invoke;
    c->asked = r;
    c->sent_ns = now_ns();
    if (send(c->fd, r->bytes, r->size, 0) < 0 && errno != EAGAIN && errno != ECONNREFUSED)
        lost++;
}

static double option(int argc, char **argv, const char *name, double otherwise)
{
    for (int k = 1; k + 1 < argc; k += 2)
        if (strcmp(argv[k], name) == 0)
            return atof(argv[k + 1]);
    return otherwise;
}

int main(int argc, char **argv)
{
    static struct request requests[MAX_REQUESTS];
    static struct connection all[MAX_CONNECTIONS];
    static uint8_t reply[MAX_REPLY];
    const char *path = NULL;
    for (int k = 1; k + 1 < argc; k += 2)
        if (strcmp(argv[k], "--requests") == 0)
            path = argv[k + 1];
    int port = (int)option(argc, argv, "--port", 0), connections = (int)option(argc, argv, "--connections", 1);
    size_t shortest = (size_t)option(argc, argv, "--bytes", 0);
    double seconds = option(argc, argv, "--seconds", 1), warmup_s = option(argc, argv, "--warmup", 0.5);
    if (path == NULL || port <= 0 || connections < 1 || connections > MAX_CONNECTIONS || argc % 2 == 0)
        fail("--port P --requests FILE [--connections N] [--seconds S] [--warmup W] [--bytes B]");
    int count = read_requests(path, requests);
    for (int k = 0; k < connections; k++)
        all[k] = (struct connection){.fd = open_socket(port), .next = (int)((int64_t)k * count / connections)};

    int64_t measure_ns = now_ns() + (int64_t)(warmup_s * (double)NS_PER_S);
    int64_t end_ns = measure_ns + (int64_t)(seconds * (double)NS_PER_S);
    uint64_t polls = 0, empty_polls = 0;
    for (int64_t now = now_ns(); now < end_ns; now = now_ns()) {
        bool counts = now >= measure_ns;
        for (int k = 0; k < connections; k++) {
            struct connection *c = &all[k];
            if (c->asked != NULL) {
                ssize_t size = recv(c->fd, reply, sizeof reply, 0);
                polls += counts;
                empty_polls += counts && size < 0;
                int64_t arrived_ns = size >= 0 ? now_ns() : now;
                if (size < 0 && arrived_ns - c->sent_ns < LOST_NS)
                    continue;
                if (size < 0)
                    lost++;
                else if (!is_right(reply, (size_t)size, shortest, c))
                    bad++;
                else if (counts) {
                    replies++;
                    histogram_add(&waits, arrived_ns - c->sent_ns);
                }
            }
            ask(c, requests, count);
        }
    }
    printf("{\"connections\": %d, \"seconds\": %.6f, \"replies\": %llu, \"rate\": %.1f, \"bad\": %llu, \"lost\": %llu, "
           "\"idle\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
           connections, seconds, (unsigned long long)replies, (double)replies / seconds, (unsigned long long)bad,
           (unsigned long long)lost, polls ? (double)empty_polls / (double)polls : 0.0, histogram_quantile(&waits, 0.5),
           histogram_quantile(&waits, 0.99), (double)waits.max_ns / 1000.0);
    return 0;
}
