/** Loaded first in a process that must work without a network: every connection fails. */
const dns = require("node:dns");
const net = require("node:net");

const refuse = () => {
  throw new Error("this process has no network");
};
net.Socket.prototype.connect = refuse;
dns.lookup = refuse;
