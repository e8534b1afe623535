/**
 * Node's environment for tests without the AsyncLocalStorage by which jest-circus finds the test of an unhandled rejection:
 * before Node 24 it makes every promise several times slower, and it stays in the worker after its file.
 */
const hooks = require("node:async_hooks");
const { appendFileSync, readFileSync } = require("node:fs");
const { join, relative } = require("node:path");
const vm = require("node:vm");
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

/**
 * What a module's code finds as a variable of its own: looked up in the global object of a context each use costs 150 ns, a hundred
 * times as much. Not what a test may replace there: clocks, the network, what only browsers have.
 */
const builtIns = [
  ...[
    "Object",
    "Array",
    "String",
    "Number",
    "Boolean",
    "Symbol",
    "BigInt",
    "Math",
    "JSON",
    "Reflect",
    "Proxy",
    "RegExp",
  ],
  ...["Map", "Set", "WeakMap", "WeakSet", "Promise", "Error", "TypeError", "RangeError", "SyntaxError", "ArrayBuffer"],
  ...["DataView", "Uint8Array", "Uint16Array", "Uint32Array", "Int32Array", "BigInt64Array", "Float64Array", "Buffer"],
  ...["parseInt", "parseFloat", "isNaN", "isFinite", "encodeURIComponent", "decodeURIComponent", "Intl"],
];

/**
 * Each test file loads its modules anew, most of them the same as the file before: V8's code of a text is kept in its worker and run
 * in the context of the next file, so that neither the text nor the functions in it are compiled again. Code with `import()` is
 * not: it must know the file whose modules it loads.
 */
const compile = vm.compileFunction;
const scripts = new Map();
if (compile.name === "compileFunction")
  vm.compileFunction = function runAgain(code, parameters, options) {
    if (options?.parsingContext === undefined || /\bimport\s*\(/.test(code)) return compile(code, parameters, options);
    const { filename, parsingContext } = options;
    const key = `${filename}\n${code}`;
    let script = scripts.get(key);
    if (script === undefined) {
      const head = `((${builtIns}) => function (${parameters}) {`;
      script = new vm.Script(`${head}${code}\n})(${builtIns})`, { filename, columnOffset: -head.length });
      scripts.set(key, script);
    }
    return script.runInContext(parsingContext);
  };

/** Of this process and of its ended children, in seconds; without /proc of this process alone. */
function usedCpu() {
  const { user, system } = process.cpuUsage();
  let children = 0;
  try {
    const fields = readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    // Linux counts in hundredths of a second there.
    children = (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {}
  return (user + system) / 1e6 + children;
}

module.exports = class extends TestEnvironment {
  #before = usedCpu();
  #path;
  #root;

  constructor(...given) {
    super(...given);
    this.#path = given[1].testPath;
    this.#root = given[0].globalConfig.rootDir;
    // Only until jest-circus is loaded.
    hooks.AsyncLocalStorage = OneAtATime;
  }

  async handleTestEvent({ name }) {
    if (name === "setup") hooks.AsyncLocalStorage = Real;
  }

  /** Notes what the file took, for scripts/test.ts: on a busy machine only that can be compared. */
  async teardown() {
    await super.teardown();
    const folder = process.env.ORDERBELL_TEST_FOLDER;
    if (folder === undefined) return;
    const line = `${(usedCpu() - this.#before).toFixed(2)} ${relative(this.#root, this.#path)}\n`;
    appendFileSync(join(folder, "cpu.log"), line);
  }
};
