/*
 * SNMP load generator: N sockets with one outstanding request each, every reply checked.
 *
 * The requests are made beforehand (an authentic v3 message cannot be made up on the way) and sent in turn, each with
 * an id of its own. It reads the sockets round robin and never sleeps, so that its core is not what limits the figure.
 *
 *   snmpgen --port P --requests FILE --connections N --seconds S --warmup W --varbinds V --bytes B
 *
 * FILE holds each request behind its length in two bytes. A right reply has the id of its request, no error, and for
 * v1 and v2c exactly V variable bindings; for v3 it is authenticated and encrypted. None is shorter than B bytes.
 *
 * Prints one JSON object. Status 0: it ran (look at "bad"), 1: no socket, 2: bad command line.
 */
#include "clock.h"
#include "histogram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_REQUESTS 4096
#define MAX_CONNECTIONS 1024
#define MAX_REPLY 65536
#define LOST_NS NS_PER_S /* after this, an answer will not come, and the next request is sent */

enum { INTEGER = 0x02, OCTETS = 0x04, SEQUENCE = 0x30, RESPONSE = 0xA2, VERSION_3 = 3, AUTH_PRIV = 3 };

struct request {
    const uint8_t *bytes;
    size_t size;
    int64_t id; /* request-id, or msgID of v3 */
};

struct connection {
    int fd;
    int next;
    const struct request *asked;
    int64_t sent_ns;
};

/* A place in a message; `left` is what the surrounding encoding still holds, negative once it does not fit. */
struct place {
    const uint8_t *at;
    ptrdiff_t left;
};

static struct histogram waits;
static uint64_t replies, bad, lost;

/* Enter the encoding at `p`: returns its content, and moves `p` behind it. `left` is -1 when the tag is another. */
static struct place enter(struct place *p, int tag)
{
    struct place none = {p->at, -1};
    if (p->left < 2 || p->at[0] != tag)
        return none;
    size_t size = p->at[1], head = 2;
    if (size > 0x80) {
        size_t digits = size & 0x7F;
        if (digits > 2 || p->left < (ptrdiff_t)(2 + digits))
            return none;
        size = 0;
        for (size_t k = 0; k < digits; k++)
            size = size << 8 | p->at[2 + k];
        head += digits;
    }
    if ((ptrdiff_t)(head + size) > p->left)
        return none;
    struct place inside = {p->at + head, (ptrdiff_t)size};
    p->at += head + size;
    p->left -= (ptrdiff_t)(head + size);
    return inside;
}

static bool read_integer(struct place *p, int64_t *value)
{
    struct place inside = enter(p, INTEGER);
    if (inside.left < 1 || inside.left > 8)
        return false;
    *value = (int8_t)inside.at[0];
    for (ptrdiff_t k = 1; k < inside.left; k++)
        *value = *value * 256 + inside.at[k];
    return true;
}

/* The id of a message, and for a response of v1 and v2c its error status and its number of variable bindings. */
static bool read_message(const uint8_t *bytes, size_t size, bool is_reply, int64_t *id, int *varbinds)
{
    struct place whole = {bytes, (ptrdiff_t)size}, message = enter(&whole, SEQUENCE);
    int64_t version, status, index;
    *varbinds = -1;
    if (message.left < 0 || !read_integer(&message, &version))
        return false;
    if (version == VERSION_3) {
        struct place header = enter(&message, SEQUENCE);
        int64_t max_size;
        if (header.left < 0 || !read_integer(&header, id) || !read_integer(&header, &max_size))
            return false;
        struct place flags = enter(&header, OCTETS);
        return flags.left == 1 && (flags.at[0] & AUTH_PRIV) == AUTH_PRIV;
    }
    if (enter(&message, OCTETS).left < 0 || message.left < 2)
        return false;
    struct place pdu = enter(&message, is_reply ? RESPONSE : message.at[0]);
    if (pdu.left < 0 || !read_integer(&pdu, id) || !read_integer(&pdu, &status) || !read_integer(&pdu, &index))
        return false;
    struct place list = enter(&pdu, SEQUENCE);
    if (list.left < 0 || (is_reply && status != 0))
        return false;
    for (*varbinds = 0; list.left > 0; ++*varbinds)
        if (enter(&list, SEQUENCE).left < 0)
            return false;
    return true;
}

static void fail(const char *what)
{
    fprintf(stderr, "snmpgen: %s\n", what);
    exit(2);
}

static int read_requests(const char *path, struct request *requests)
{
    static uint8_t content[MAX_REQUESTS * 512];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail("no file of requests");
    size_t size = fread(content, 1, sizeof content, file);
    fclose(file);
    int count = 0;
    for (size_t at = 0; at + 2 <= size && count < MAX_REQUESTS; count++) {
        struct request *r = &requests[count];
        int varbinds;
        r->size = (size_t)(content[at] << 8 | content[at + 1]);
        r->bytes = content + at + 2;
        at += 2 + r->size;
        if (at > size || !read_message(r->bytes, r->size, false, &r->id, &varbinds))
            fail("a request cannot be read");
    }
    if (count == 0)
        fail("no requests");
    return count;
}

static int open_socket(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("snmpgen");
        exit(1);
    }
    return fd;
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
    int wanted = (int)option(argc, argv, "--varbinds", 1), shortest = (int)option(argc, argv, "--bytes", 0);
    double seconds = option(argc, argv, "--seconds", 1), warmup_s = option(argc, argv, "--warmup", 0.5);
    if (path == NULL || port <= 0 || connections < 1 || connections > MAX_CONNECTIONS || argc % 2 == 0)
        fail("--port P --requests FILE [--connections N] [--seconds S] [--warmup W] [--varbinds V] [--bytes B]");
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
                int64_t arrived_ns = size >= 0 ? now_ns() : now, id;
                int varbinds;
                if (size < 0 && arrived_ns - c->sent_ns < LOST_NS)
                    continue;
                if (size < 0)
                    lost++;
                else if (size < shortest || !read_message(reply, (size_t)size, true, &id, &varbinds)
                         || id != c->asked->id || (varbinds >= 0 && varbinds != wanted))
                    bad++;
                else if (counts) {
                    replies++;
                    histogram_add(&waits, arrived_ns - c->sent_ns);
                }
            }
            c->asked = &requests[c->next];
            c->next = (c->next + 1) % count;
            c->sent_ns = now_ns();
            if (send(c->fd, c->asked->bytes, c->asked->size, 0) < 0 && errno != EAGAIN && errno != ECONNREFUSED)
                lost++;
        }
    }
    printf("{\"connections\": %d, \"seconds\": %.6f, \"replies\": %llu, \"rate\": %.1f, \"bad\": %llu, \"lost\": %llu, "
           "\"idle\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
           connections, seconds, (unsigned long long)replies, (double)replies / seconds, (unsigned long long)bad,
           (unsigned long long)lost, polls ? (double)empty_polls / (double)polls : 0.0, histogram_quantile(&waits, 0.5),
           histogram_quantile(&waits, 0.99), (double)waits.max_ns / 1000.0);
    return 0;
}
