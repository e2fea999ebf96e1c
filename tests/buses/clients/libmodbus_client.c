/* Reads and writes with libmodbus what the test asks for, and prints what it got.
 *
 * usage: libmodbus_client tcp HOST PORT UNIT ACTION...
 *        libmodbus_client rtu DEVICE BAUDRATE UNIT ACTION...
 * actions: read ADDRESS COUNT, input ADDRESS COUNT, write ADDRESS VALUE, many ADDRESS VALUE VALUE
 * Each action prints one line: the registers in hexadecimal, or "error N text".
 */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(int count, const uint16_t *words) {
    if (count < 0) {
        printf("error %d %s\n", errno - MODBUS_ENOBASE, modbus_strerror(errno));
        return;
    }
    for (int i = 0; i < count; i++) printf("%s%04x", i ? " " : "", words[i]);
    printf("\n");
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    int is_tcp = !strcmp(argv[1], "tcp");
    modbus_t *bus = is_tcp ? modbus_new_tcp(argv[2], atoi(argv[3])) : modbus_new_rtu(argv[2], atoi(argv[3]), 'N', 8, 1);
    uint16_t words[128] = {0};
    if (!bus || modbus_set_slave(bus, atoi(argv[4])) || modbus_connect(bus)) {
        fprintf(stderr, "connect: %s\n", modbus_strerror(errno));
        return 1;
    }
    modbus_set_response_timeout(bus, 0, 300000);
    for (int i = 5; i + 2 < argc; i += 3) {
        int address = atoi(argv[i + 1]), value = atoi(argv[i + 2]);
        if (!strcmp(argv[i], "read")) show(modbus_read_registers(bus, address, value, words), words);
        else if (!strcmp(argv[i], "input")) show(modbus_read_input_registers(bus, address, value, words), words);
        else if (!strcmp(argv[i], "write")) {
            words[0] = value;
            show(modbus_write_register(bus, address, value), words);
        } else if (!strcmp(argv[i], "many") && i + 3 < argc) {
            words[0] = value;
            words[1] = atoi(argv[i + 3]);
            show(modbus_write_registers(bus, address, 2, words), words);
            i++;
        }
    }
    modbus_close(bus);
    modbus_free(bus);
    return 0;
}
