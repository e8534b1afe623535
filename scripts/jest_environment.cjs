/**
 * Node's environment for tests without the AsyncLocalStorage by which jest-circus finds the test of an unhandled rejection:
 * before Node 24 it makes every promise several times slower, and it stays in the worker after its file.
 */
const hooks = require("node:async_hooks");
const { TestEnvironment } = require("jest-environment-node");

const Real = hooks.AsyncLocalStorage;

/** The tests of a file run one after another, so a variable is enough. */
class OneAtATime {
  #store;

  getStore() {
    return this.#store;
  }

  run(store, work, ...given) {
    const before = this.#store;
    const leave = () => {
      this.#store = before;
    };
    this.#store = store;
    try {
      const result = work(...given);
      if (typeof result?.then !== "function") leave();
      else result.then(leave, leave);
      return result;
    } catch (error) {
      leave();
      throw error;
    }
  }
}

module.exports = class extends TestEnvironment {
  constructor(...given) {
    super(...given);
    // Only until jest-circus is loaded.
    hooks.AsyncLocalStorage = OneAtATime;
  }

  async handleTestEvent({ name }) {
    if (name === "setup") hooks.AsyncLocalStorage = Real;
  }
};
