// Asks a module with node-bacnet for its events and prints them as JSON. Arguments: host, port, own port, address.
'use strict';

const Bacnet = require('node-bacnet');

const [host, port, own, mac] = process.argv.slice(2);
const client = new Bacnet({interface: '127.0.0.1', port: Number(own), broadcastAddress: '127.255.255.255', apduTimeout: 8000});

client.on('listening', () => {
  const module_ = {address: `${host}:${port}`, net: 2001, adr: [Number(mac)]};
  // It cannot leave out the last object received; one that has no event means: from the beginning.
  client.getEventInformation(module_, {type: 8, instance: 0}, {}, (error, found) => {
    if (error) {
      console.error(error);
      process.exit(1);
    }
    console.log(JSON.stringify(found));
    client.close();
  });
});
