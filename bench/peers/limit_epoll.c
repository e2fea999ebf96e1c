/*
 * The limit: an epoll server that answers every request with the same bytes and copies only the transaction id.
 *
 * It knows nothing of Modbus beyond the size of a read request, so no server that parses, looks up and encodes can do less
 * work per request over the same system calls. With --fault it answers wrongly on purpose, to prove that the
 * load generator notices.
 *
 * usage: limit_epoll [--count WORDS] [--unit U] [--function F] [--port P] [--seconds LIFE] [--fault NAME]
 */
#include "listener.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define REQUEST_SIZE 12
#define MAX_FD 4096
#define MAX_EVENTS 256

struct pending { /* the beginning of a request whose rest has not arrived */
    size_t filled;
    uint8_t bytes[64 * REQUEST_SIZE];
};

static struct pending pending[MAX_FD];
static uint8_t reply[260];
static size_t reply_size;

static void refuse(const char *what)
{
    fprintf(stderr, "limit_epoll: cannot use %s\n", what);
    exit(2);
}

static void build_reply(int unit, int function, int count)
{
    reply_size = 9 + 2 * (size_t)count;
    reply[4] = (uint8_t)((3 + 2 * count) >> 8);
    reply[5] = (uint8_t)(3 + 2 * count);
    reply[6] = (uint8_t)unit;
    reply[7] = (uint8_t)function;
    reply[8] = (uint8_t)(2 * count);
    for (size_t i = 9; i < reply_size; i++)
        reply[i] = (uint8_t)(i * 37);
}

/* Returns what to add to the transaction id: 1 for the fault that concerns it. */
static int spoil_reply(const char *fault)
{
    if (strcmp(fault, "id") == 0)
        return 1;
    if (strcmp(fault, "unit") == 0)
        reply[6]++;
    else if (strcmp(fault, "function") == 0)
        reply[7]++;
    else if (strcmp(fault, "byte_count") == 0)
        reply[8]--;
    else if (strcmp(fault, "surplus") == 0)
        reply_size++;
    else if (strcmp(fault, "silent") == 0)
        reply_size = 0;
    else if (strcmp(fault, "exception") == 0) {
        memcpy(reply + 4, (uint8_t[]){0, 3, reply[6], (uint8_t)(reply[7] | 0x80), 2}, 5);
        reply_size = 9;
    } else if (strcmp(fault, "none") != 0)
        refuse(fault);
    return 0;
}

static void answer(int fd, int id_offset)
{
    struct pending *p = &pending[fd];
    ssize_t got = recv(fd, p->bytes + p->filled, sizeof p->bytes - p->filled, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        close(fd);
        return;
    }
    if (got < 0)
        return;
    p->filled += (size_t)got;
    size_t used = 0;
    for (; p->filled - used >= REQUEST_SIZE; used += REQUEST_SIZE) {
        reply[0] = p->bytes[used];
        reply[1] = (uint8_t)(p->bytes[used + 1] + id_offset);
        if (reply_size != 0 && send(fd, reply, reply_size, MSG_NOSIGNAL) != (ssize_t)reply_size) {
            close(fd); /* a client that does not read its answers */
            return;
        }
    }
    p->filled -= used;
    memmove(p->bytes, p->bytes + used, p->filled);
}

static void accept_one(int listener, int epoll_fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    int on = 1, fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return;
    if (fd >= MAX_FD) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pending[fd].filled = 0;
    event.data.fd = fd;
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"count", 1, NULL, 'c'},   {"unit", 1, NULL, 'u'}, {"function", 1, NULL, 'f'},
                                          {"port", 1, NULL, 'p'},    {"fault", 1, NULL, 'F'},
                                          {"seconds", 1, NULL, 's'}, {NULL, 0, NULL, 0}};
    int count = 100, unit = 1, function = 3, port = 0, life_s = 600, letter;
    const char *fault = "none";
    while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (letter) {
        case 'c': count = atoi(optarg); break;
        case 'u': unit = atoi(optarg); break;
        case 'f': function = atoi(optarg); break;
        case 'p': port = atoi(optarg); break;
        case 's': life_s = atoi(optarg); break;
        case 'F': fault = optarg; break;
        default: return 2;
        }
    }
    if (count < 1 || count > 125 || unit < 0 || unit > 255 || port < 0 || port > 65535 || life_s < 1)
        refuse("these numbers");
    build_reply(unit, function, count);
    int id_offset = spoil_reply(fault);
    alarm((unsigned)life_s); /* never outlives a bench that died */

    int listener = listen_on_loopback((uint16_t)port), epoll_fd = epoll_create1(0);
    struct epoll_event events[MAX_EVENTS], event = {.events = EPOLLIN, .data = {.fd = listener}};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
    announce(listener);
    for (;;) {
        int ready = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
        for (int e = 0; e < ready; e++) {
            if (events[e].data.fd == listener)
                accept_one(listener, epoll_fd);
            else
                answer(events[e].data.fd, id_offset);
        }
    }
}
