/*
 * The C peer: libmodbus behind an epoll loop, 1,000 holding registers that all change every 200 ms.
 *
 * One context serves all connections, as in libmodbus's own multi-client example; the library receives, parses and answers.
 *
 * usage: libmodbus_server [REFRESH_MS]
 */
#include "../clock.h"
#include "listener.h"

#include <modbus.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#define REGISTERS 1000
#define MAX_EVENTS 256
#define LIFE_S 600

static void refresh(modbus_mapping_t *mapping, uint16_t tick)
{
    for (int i = 0; i < REGISTERS; i++)
        mapping->tab_registers[i] = (uint16_t)(i * 7 + tick);
}

static void accept_one(int listener, int epoll_fd)
{
    int on = 1, fd = accept(listener, NULL, NULL);
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void answer(modbus_t *context, modbus_mapping_t *mapping, int fd)
{
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_set_socket(context, fd);
    int size = modbus_receive(context, query);
    if (size > 0)
        modbus_reply(context, query, size, mapping);
    else if (size < 0)
        close(fd);
}

int main(int argc, char **argv)
{
    int64_t refresh_ns = (argc > 1 ? atoi(argv[1]) : 200) * NS_PER_MS;
    modbus_t *context = modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t *mapping = modbus_mapping_new(0, 0, REGISTERS, 0);
    if (context == NULL || mapping == NULL || refresh_ns <= 0)
        return 1;
    alarm(LIFE_S); /* never outlives a bench that died */
    int listener = modbus_tcp_listen(context, 128), epoll_fd = epoll_create1(0);
    if (listener < 0) {
        perror("libmodbus_server");
        return 1;
    }
    struct epoll_event events[MAX_EVENTS], event = {.events = EPOLLIN, .data = {.fd = listener}};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
    announce(listener);
    uint16_t tick = 0;
    refresh(mapping, tick);
    for (int64_t due_ns = now_ns() + refresh_ns;;) {
        int64_t left_ns = due_ns - now_ns();
        if (left_ns <= 0) {
            refresh(mapping, ++tick);
            due_ns += refresh_ns;
            continue;
        }
        int ready = epoll_wait(epoll_fd, events, MAX_EVENTS, (int)(left_ns / NS_PER_MS) + 1);
        for (int e = 0; e < ready; e++) {
            if (events[e].data.fd == listener)
                accept_one(listener, epoll_fd);
            else
                answer(context, mapping, events[e].data.fd);
        }
    }
}
