/*
 * Modbus TCP load generator: N connections with one outstanding read each, every reply checked.
 *
 * In `spin` mode it reads the sockets round robin without ever sleeping: when the server is slower it only spins on
 * empty sockets, and when the server is as fast it spends nothing but one recv and one send per request, so that its core
 * is not what limits the figure. `epoll` mode sleeps like an ordinary client.
 *
 * Prints one JSON object. Status 0: it ran (look at "bad"), 1: no connection, 2: bad command line.
 */
#include "clock.h"
#include "loadgen.h"
#include "tally.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNANSWERED_NS NS_PER_S /* after this, an answer will not come */

struct connection {
    int fd;                  /* -1 once lost */
    struct request *first;   /* the requests of this connection's port */
    int request_count;
    int next;                /* index of the next request */
    int left_in_cycle;       /* requests that follow without pause */
    struct request *asked;   /* the outstanding request, NULL while waiting for its turn */
    uint16_t transaction_id;
    int64_t sent_ns;
    int64_t due_ns;
    size_t filled;
    uint8_t buffer[512];
};

static struct tally seen;
static uint16_t last_transaction_id;

static uint16_t word(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put_word(uint8_t *bytes, unsigned value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static void lose(struct connection *c)
{
    close(c->fd);
    c->fd = -1;
    c->asked = NULL;
    seen.lost++;
}

static void ask(struct connection *c, int64_t now, const struct options *o)
{
    struct request *r = &c->first[c->next];
    uint8_t frame[12];
    c->next = (c->next + 1) % c->request_count;
    c->transaction_id = ++last_transaction_id;
    put_word(frame, c->transaction_id);
    put_word(frame + 2, 0);
    put_word(frame + 4, 6);
    frame[6] = r->unit;
    frame[7] = r->function;
    put_word(frame + 8, r->address);
    put_word(frame + 10, r->count);
    c->asked = r;
    c->filled = 0;
    c->sent_ns = now;
    if (!o->in_cycles || --c->left_in_cycle <= 0) {
        c->left_in_cycle = c->request_count;
        c->due_ns += o->interval_ns;
        if (c->due_ns < now)
            c->due_ns = now; /* behind schedule: carry on from here, without catching up */
    }
    if (send(c->fd, frame, sizeof frame, MSG_NOSIGNAL) != (ssize_t)sizeof frame)
        lose(c);
}

/* The first thing wrong with a whole reply, or FAULTS when it is right. */
static enum fault check_reply(const struct connection *c, size_t size)
{
    const uint8_t *b = c->buffer;
    unsigned payload = 2u * c->asked->count;
    if (word(b) != c->transaction_id)
        return WRONG_ID;
    if (word(b + 2) != 0)
        return WRONG_PROTOCOL;
    if (b[6] != c->asked->unit)
        return WRONG_UNIT;
    if (b[7] == (c->asked->function | 0x80))
        return EXCEPTION;
    if (b[7] != c->asked->function)
        return WRONG_FUNCTION;
    if (size != 9 + payload)
        return WRONG_LENGTH;
    if (b[8] != payload)
        return WRONG_BYTE_COUNT;
    if (c->filled > size)
        return SURPLUS;
    return FAULTS;
}

static void count_wait(struct waits *w, int64_t waited_ns, int64_t slow_ns)
{
    histogram_add(&w->latencies, waited_ns);
    w->slow += waited_ns > slow_ns;
}

/* Whether a wait that ends now has met the time near a refresh. */
static bool meets_refresh(int64_t waited_ns, const struct options *o)
{
    if (o->refresh_ns == 0)
        return false;
    int64_t since_ns = wall_ns() % o->refresh_ns;
    return since_ns < o->near_ns || waited_ns > since_ns;
}

/* Take what the socket holds. True when a whole reply (right or wrong) has ended the outstanding request. */
static bool take(struct connection *c, const struct options *o, bool counts)
{
    ssize_t got = recv(c->fd, c->buffer + c->filled, sizeof c->buffer - c->filled, MSG_DONTWAIT);
    seen.polls += counts;
    if (got <= 0) {
        seen.empty_polls += counts;
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            lose(c);
        return false;
    }
    c->filled += (size_t)got;
    if (c->filled < 9)
        return false;
    size_t size = 6u + word(c->buffer + 4);
    if (size < 9 || size > 260) { /* nothing after this can be understood */
        seen.bad[WRONG_LENGTH]++;
        lose(c);
        return false;
    }
    if (c->filled < size)
        return false;
    enum fault fault = check_reply(c, size);
    int64_t waited_ns = now_ns() - c->sent_ns;
    if (fault != FAULTS) {
        seen.bad[fault]++;
    } else if (counts) {
        seen.replies++;
        count_wait(&seen.all, waited_ns, o->slow_ns);
        if (meets_refresh(waited_ns, o))
            count_wait(&seen.near_refresh, waited_ns, o->slow_ns);
        if (c->asked->is_answered && memcmp(c->asked->payload, c->buffer + 9, size - 9) != 0)
            seen.changed++;
    }
    if (fault == FAULTS) {
        memcpy(c->asked->payload, c->buffer + 9, size - 9);
        c->asked->is_answered = true;
    }
    c->asked = NULL;
    return true;
}

static int connect_to(const char *host, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (fd < 0 || inet_pton(AF_INET, host, &address.sin_addr) != 1
        || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fprintf(stderr, "loadgen: no connection to %s:%u: %s\n", host, port, strerror(errno));
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* Open all connections; they start at different requests of their port, and evenly over the interval. */
static struct connection *open_connections(const struct options *o, int *count)
{
    struct connection *all = calloc((size_t)o->request_count * (size_t)o->connections, sizeof *all);
    *count = 0;
    if (all == NULL)
        exit(1);
    for (int i = 0, end; i < o->request_count; i = end) {
        for (end = i; end < o->request_count && o->requests[end].port == o->requests[i].port; end++)
            ;
        for (int k = 0; k < o->connections; k++) {
            struct connection *c = &all[(*count)++];
            c->first = &o->requests[i];
            c->request_count = end - i;
            c->left_in_cycle = c->request_count;
            c->next = (int)((int64_t)k * c->request_count / o->connections);
            c->fd = connect_to(o->host, o->requests[i].port);
        }
    }
    int64_t now = now_ns();
    for (int k = 0; k < *count; k++)
        all[k].due_ns = now + o->interval_ns * k / *count;
    return all;
}

/* Sleep until a connection is readable or the next request is due (1 ms early at most, since epoll counts in ms). */
static void sleep_until(int epoll_fd, struct connection *all, const struct options *o, int64_t left_ns, bool counts)
{
    struct epoll_event events[MAX_CONNECTIONS];
    int64_t sleep_ms = left_ns / NS_PER_MS;
    int ready = epoll_wait(epoll_fd, events, MAX_CONNECTIONS, (int)(sleep_ms < 100 ? sleep_ms : 100));
    for (int e = 0; e < ready; e++) {
        struct connection *c = &all[events[e].data.u32];
        if (c->fd >= 0 && c->asked != NULL) {
            take(c, o, counts);
        } else if (c->fd >= 0) { /* readable though nothing was asked: end of file or unwanted bytes */
            seen.bad[SURPLUS]++;
            lose(c);
        }
    }
}

/*
 * Ask and take until the end, then wait up to a second for the outstanding answers, so that no connection is cut while
 * its server is still writing. Returns when the counting stopped.
 */
static int64_t run(const struct options *o, struct connection *all, int count, int64_t measure_ns, int64_t end_ns)
{
    int epoll_fd = epoll_create1(0);
    for (int k = 0; k < count; k++) {
        struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = (uint32_t)k}};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, all[k].fd, &event);
    }
    int outstanding = 0;
    for (int64_t now = now_ns(); now < end_ns || (outstanding > 0 && now < end_ns + UNANSWERED_NS); now = now_ns()) {
        bool counts = now >= measure_ns && now < end_ns;
        int64_t next_ns = now < end_ns ? end_ns : end_ns + UNANSWERED_NS;
        outstanding = 0;
        for (int k = 0; k < count; k++) {
            struct connection *c = &all[k];
            if (c->asked != NULL && o->spin)
                take(c, o, counts);
            if (c->fd >= 0 && c->asked == NULL && now < end_ns) {
                if (o->interval_ns == 0 || c->due_ns <= now)
                    ask(c, now_ns(), o);
                else if (c->due_ns < next_ns)
                    next_ns = c->due_ns;
            }
            outstanding += c->asked != NULL;
        }
        if (now < end_ns && ((o->max_replies != 0 && seen.replies >= o->max_replies) || seen.lost == (uint64_t)count))
            end_ns = now;
        else if (!o->spin)
            sleep_until(epoll_fd, all, o, next_ns - now, counts);
    }
    close(epoll_fd);
    return end_ns;
}

int main(int argc, char **argv)
{
    struct options o = read_options(argc, argv);
    int count;
    struct connection *all = open_connections(&o, &count);
    if (count > MAX_CONNECTIONS) {
        fprintf(stderr, "loadgen: at most %d connections in all\n", MAX_CONNECTIONS);
        return 2;
    }
    int64_t measure_ns = now_ns() + (int64_t)(o.warmup_s * (double)NS_PER_S);
    int64_t end_ns = measure_ns + (int64_t)(o.seconds * (double)NS_PER_S);
    int64_t stopped_ns = run(&o, all, count, measure_ns, end_ns);
    for (int k = 0; k < count; k++) {
        seen.unanswered += all[k].asked != NULL;
        if (all[k].fd >= 0)
            close(all[k].fd);
    }
    seen.all.slow += seen.unanswered;
    /* All connections may be lost before the measurement even starts: then the rate is 0 over the whole time asked for. */
    double seconds = stopped_ns > measure_ns ? (double)(stopped_ns - measure_ns) / (double)NS_PER_S : o.seconds;
    print_tally(&seen, count, seconds);
    free(all);
    free(o.requests);
    return 0;
}
