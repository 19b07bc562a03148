// Preloaded into each engine, as some of them offer no choice: they listen on loopback only.
const { Server } = require('net')
const listen = Server.prototype.listen

Server.prototype.listen = function (first, ...rest) {
  const port = Number(typeof first === 'object' && first !== null ? first.port : first)
  if (!Number.isInteger(port)) throw new Error(`no port to listen on: ${first}`)
  return listen.call(this, { port, host: '127.0.0.1' }, rest.find((part) => typeof part === 'function'))
}
