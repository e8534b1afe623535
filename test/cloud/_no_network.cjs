/** Loaded before anything else in a process that must do without a network: whoever asks for one fails. */
const dns = require("node:dns");
const net = require("node:net");

const refuse = () => {
  throw new Error("this process has no network");
};
net.Socket.prototype.connect = refuse;
dns.lookup = refuse;
