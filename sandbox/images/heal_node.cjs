// Required at every start of node (NODE_OPTIONS). Does nothing unless the program is jest or mocha; of these it appends
// one JSON line per finished test to the file named by $HEAL_REPORT. It only listens, and swallows its own errors.
//
// It learns of the module that it wants from the module cache, not from a wrapped loader: so no stack trace that a
// program prints has a line of ours in it.
'use strict';
(() => {
  const fs = require('fs');
  const { openSync, writeSync, closeSync } = fs; // as they are now: programs replace them
  const { HEAL_REPORT: target, GITHUB_WORKSPACE: root = process.cwd() } = process.env;
  const { pid } = process;
  const { stringify } = JSON;
  const path = require('path');
  const Module = require('module');
  const RUNS = /[\\/]node_modules[\\/](jest|jest-cli|jest-worker|mocha|react-scripts|@craco[\\/]craco|@vue[\\/]cli-service|kcd-scripts|@wordpress[\\/]scripts|tsdx)[\\/]/;
  const LIMIT = 2000;

  function quietly(work) {
    try {
      return work();
    } catch (error) {
      return undefined; // no report is better than no test
    }
  }

  function write(runner, id, status, seconds, message) {
    quietly(() => {
      const line = { runner, process: pid, id, status, seconds, message: String(message || '').slice(0, LIMIT) };
      const handle = openSync(target, 'a');
      try {
        writeSync(handle, stringify(line) + '\n');
      } finally {
        closeSync(handle);
      }
    });
  }

  const place = file => path.relative(root, file);

  // jest: the function that runs one test file and tells of each test as it ends.
  const JEST_STATUS = { passed: 'passed', failed: 'failed', pending: 'skipped', skipped: 'skipped', todo: 'skipped', disabled: 'skipped' };

  function jestTest(file, test) {
    const id = place(file) + '::' + [...test.ancestorTitles, test.title].join(' > ');
    const failed = test.failureMessages && test.failureMessages[0];
    write('jest', id, JEST_STATUS[test.status] || 'skipped', (test.duration || 0) / 1000, failed);
  }

  function jest(run) {
    if (typeof run !== 'function' || run.length < 5) return run;
    return function jestAdapter(globalConfig, config, environment, runtime, file, send, ...more) {
      const told = new Set();
      const hear = typeof send !== 'function' ? send : (event, args) => {
        quietly(() => {
          if (event === 'test-case-result') {
            told.add(args[1].fullName);
            jestTest(args[0], args[1]);
          }
        });
        return send(event, args);
      };
      const running = run.call(this, globalConfig, config, environment, runtime, file, hear, ...more);
      quietly(() => running.then(
        result => quietly(() => {
          if (result.testExecError) write('jest', place(file), 'error', 0, result.testExecError.stack || result.failureMessage);
          for (const test of result.testResults || []) if (!told.has(test.fullName)) jestTest(file, test);
        }),
        error => write('jest', place(file), 'error', 0, (error && (error.stack || error.message)) || error),
      ));
      return running;
    };
  }

  // mocha: every event of a run passes through the runner's `emit`.
  const MOCHA_STATUS = { pass: 'passed', fail: 'failed', pending: 'skipped' };

  function mochaEvent(event, test, error) {
    const titles = [];
    // A hook that fails is its suite's failure.
    for (let at = test.type === 'hook' ? test.parent : test; at && !at.root; at = at.parent) titles.unshift(at.title);
    const file = test.file ? place(test.file) : '';
    const status = test.type === 'hook' ? 'error' : MOCHA_STATUS[event];
    const id = [file, titles.join(' > ')].filter(Boolean).join('::');
    write('mocha', id, status, (test.duration || 0) / 1000, event === 'fail' && error && (error.stack || error.message || error));
  }

  function mocha(Runner) {
    const prototype = Runner.prototype;
    const emit = prototype.emit;
    prototype.emit = function (event, ...args) {
      // With --parallel the workers tell it, and know the suites' names.
      const repeated = this.constructor.name === 'ParallelBufferedRunner';
      if (MOCHA_STATUS[event] && args[0] && !repeated) quietly(() => mochaEvent(event, ...args));
      return emit.call(this, event, ...args);
    };
  }

  const WANTED = [
    [/[\\/]jest-circus[\\/](build[\\/])?runner\.js$|[\\/]jest-jasmine2[\\/]build[\\/]index\.js$/, module => {
      const exported = module.exports;
      if (typeof exported === 'function') module.exports = jest(exported);
      else if (exported && typeof exported.default === 'function') exported.default = jest(exported.default);
    }],
    [/[\\/]mocha[\\/]lib[\\/]mocha\.c?js$/, module => mocha(module.exports.Runner)],
  ];

  function whenLoaded(module, use) {
    let loaded = module.loaded;
    Object.defineProperty(module, 'loaded', {
      configurable: true,
      enumerable: true,
      get: () => loaded,
      set(value) {
        loaded = value;
        Object.defineProperty(module, 'loaded', { configurable: true, enumerable: true, writable: true, value });
        if (value) quietly(() => use(module));
      },
    });
  }

  quietly(() => {
    if (!target || !process.argv[1] || !RUNS.test(fs.realpathSync(process.argv[1]))) return;
    Module._cache = new Proxy(Module._cache, {
      set(cache, file, module) {
        quietly(() => {
          const wanted = WANTED.find(([name]) => typeof file === 'string' && name.test(file));
          if (wanted) whenLoaded(module, wanted[1]);
        });
        cache[file] = module;
        return true;
      },
    });
  });
})();
