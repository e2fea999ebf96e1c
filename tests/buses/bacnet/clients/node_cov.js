// Subscribes with node-bacnet to changes of a module's power and prints every notification as a line of JSON.
// Arguments: host, port, a port of its own, confirmed or unconfirmed.
'use strict';

const Bacnet = require('node-bacnet');

const [host, port, own, kind] = process.argv.slice(2);
const module_ = {address: `${host}:${port}`, net: 2001, adr: [4]};
const client = new Bacnet({interface: '127.0.0.1', port: Number(own), broadcastAddress: '127.255.255.255', apduTimeout: 8000});
const {ObjectType, ConfirmedServiceChoice} = Bacnet.enum;
const power = {type: ObjectType.ANALOG_INPUT, instance: 118};

function show(message) {
  const {subscriberProcessId, initiatingDeviceId, monitoredObjectId, timeRemaining, values} = message.payload;
  console.log(JSON.stringify({
    process: subscriberProcessId,
    device: initiatingDeviceId.instance,
    object: [monitoredObjectId.type, monitoredObjectId.instance],
    remaining: timeRemaining,
    values: values.map((one) => [one.property.id, one.value[0].value]),
  }));
}

client.on('covNotifyUnconfirmed', show);
client.on('covNotify', (message) => {
  client.simpleAckResponse(message.header.sender, ConfirmedServiceChoice.CONFIRMED_COV_NOTIFICATION, message.invokeId);
  show(message);
});
client.on('listening', () => {
  client.subscribeCov(module_, power, 7, false, kind === 'confirmed', 600, {}, (error) => {
    if (error) {
      console.error(error.message);
      process.exit(1);
    }
  });
});
