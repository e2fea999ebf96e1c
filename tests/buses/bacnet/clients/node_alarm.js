// Reads with node-bacnet of a module's total power: event state, id and time of its alarm, reliability and flags;
// prints them as JSON by property. Arguments: host, port, own port, Modbus address of the module.
'use strict';

const Bacnet = require('node-bacnet');

const [host, port, own, mac] = process.argv.slice(2);
const client = new Bacnet({interface: '127.0.0.1', port: Number(own), broadcastAddress: '127.255.255.255', apduTimeout: 8000});
const module_ = {address: `${host}:${port}`, net: 2001, adr: [Number(mac)]};
const [EVENT_STATE, ALARM_IDENTIFIER, ALARM_TIMESTAMP, RELIABILITY, STATUS_FLAGS] = [36, 4090, 4091, 103, 111];
const call = (method, ...parameters) => new Promise((resolve, reject) => {
  client[method](...parameters, (error, value) => (error ? reject(error) : resolve(value)));
});

async function main() {
  await new Promise((resolve) => client.on('listening', resolve));
  const objectId = {type: 0, instance: 118};
  const properties = [EVENT_STATE, ALARM_IDENTIFIER, ALARM_TIMESTAMP, RELIABILITY, STATUS_FLAGS].map((id) => ({id}));
  const read = await call('readPropertyMultiple', module_, [{objectId, properties}], {});
  const shown = {};
  read.values[0].values.forEach((one) => { shown[one.id] = one.value.map((part) => part.value); });
  console.log(JSON.stringify(shown));
  client.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
