// Reads a gateway with node-bacnet and prints what it found as JSON. Arguments: host, port, a port of its own.
// Lists are read whole: it acknowledges segments as if it were the server, and not to the module they come from.
'use strict';

const Bacnet = require('node-bacnet');

const [host, port, own] = process.argv.slice(2);
const gateway = `${host}:${port}`;
const everybody = {address: `127.255.255.255:${port}`, net: 65535};
const module_ = (mac) => ({address: gateway, net: 2001, adr: [mac]});
const {ObjectType, PropertyIdentifier, ApplicationTag} = Bacnet.enum;
const EXPECTED_DEVICES = 8;

const client = new Bacnet({interface: '127.0.0.1', port: Number(own), broadcastAddress: '127.255.255.255', apduTimeout: 8000});
const call = (method, ...parameters) => new Promise((resolve, reject) => {
  client[method](...parameters, (error, value) => (error ? reject(error) : resolve(value)));
});
const present = (type, instance) => [{type, instance}, PropertyIdentifier.PRESENT_VALUE];

async function discover() {
  const found = [];
  await new Promise((resolve) => {
    client.on('iAm', (message) => {
      found.push(message.payload.deviceId);
      if (found.length === EXPECTED_DEVICES) resolve();
    });
    client.whoIs(everybody);
  });
  return found.sort();
}

async function main() {
  await new Promise((resolve) => client.on('listening', resolve));
  const seen = {devices: await discover()};
  seen.power = (await call('readProperty', module_(4), ...present(ObjectType.ANALOG_INPUT, 118), {})).values[0].value;
  const wanted = [101, 111, 118].map((instance) => ({
    objectId: {type: ObjectType.ANALOG_INPUT, instance},
    properties: [{id: PropertyIdentifier.PRESENT_VALUE}, {id: PropertyIdentifier.OBJECT_NAME}],
  }));
  const several = await call('readPropertyMultiple', module_(4), wanted, {});
  seen.several = several.values.map((one) => one.values.map((property) => property.value[0].value));
  const device = {type: ObjectType.DEVICE, instance: 104};
  const list = await call('readProperty', module_(4), device, PropertyIdentifier.OBJECT_LIST, {});
  seen.objects = list.values.map((one) => [one.value.type, one.value.instance]);
  const on = [{type: ApplicationTag.ENUMERATED, value: 1}];
  await call('writeProperty', module_(7), ...present(ObjectType.BINARY_OUTPUT, 200), on, {priority: 8});
  seen.output = (await call('readProperty', module_(7), ...present(ObjectType.BINARY_OUTPUT, 200), {})).values[0].value;
  try {
    await call('readProperty', module_(4), ...present(ObjectType.ANALOG_INPUT, 9999), {});
  } catch (error) {
    seen.refusal = error.message;
  }
  console.log(JSON.stringify(seen));
  client.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
