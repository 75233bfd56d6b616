'use strict';
/**
 * One kind of work each, for three tenths of a second: what brings a thread to run, and what it runs in. `--list` names them all.
 */
const fs = require('node:fs'),
  http = require('node:http'),
  crypto = require('node:crypto'),
  zlib = require('node:zlib');
const vm = require('node:vm'),
  path = require('node:path'),
  os = require('node:os');
const { execFileSync } = require('node:child_process');
const ms = 300;
const end = Date.now() + ms;
const isOver = () => Date.now() > end;
function burn(n = 20000) {
  let x = 0;
  for (let i = 0; i < n; i++) x += Math.sqrt(i) * (i & 7);
  return x;
}
const text = JSON.stringify(Array.from({ length: 3000 }, (_, i) => ({ id: i, name: `n${i}`, tags: ['a', 'b'] })));
const big = crypto.randomBytes(1 << 20);
const cases = {
  main() {
    while (!isOver()) burn();
  },
  timers() {
    (function again() {
      if (!isOver()) {
        burn();
        setTimeout(again, 0);
      }
    })();
  },
  immediates() {
    (function again() {
      if (!isOver()) {
        burn();
        setImmediate(again);
      }
    })();
  },
  async microtasks() {
    await null;
    while (!isOver()) {
      await null;
      burn(200);
    }
  },
  nextTick() {
    (function again() {
      if (!isOver()) {
        burn(200);
        process.nextTick(again);
      }
    })();
  },
  http() {
    const server = http.createServer((_q, r) => {
      burn();
      r.end(JSON.stringify({ ok: true }));
    });
    server.listen(0, () => {
      const agent = new http.Agent({ keepAlive: true });
      const again = () => {
        if (isOver()) {
          agent.destroy();
          server.close();
          return;
        }
        http
          .get({ port: server.address().port, agent }, (r) => {
            r.resume();
            r.on('end', again);
          })
          .on('error', () => {}); // the last ones, when the agent is destroyed
      };
      again();
      again();
    });
  },
  fsCallbacks() {
    (function again() {
      if (!isOver())
        fs.readFile(__filename, (_e, _b) => {
          burn();
          again();
        });
    })();
  },
  fsSync() {
    const f = path.join(os.tmpdir(), `spprof-view-${process.pid}`);
    while (!isOver()) {
      fs.writeFileSync(f, big);
      fs.readFileSync(f);
      fs.statSync(f);
    }
    fs.unlinkSync(f);
  },
  worker() {
    const { Worker } = require('node:worker_threads');
    new Worker(
      `function inWorker(){let x=0;for(let i=0;i<1e8;i++)x+=i%7;return x} const e=Date.now()+${ms};while(Date.now()<e)inWorker(); setTimeout(()=>{const f=Date.now()+100;while(Date.now()<f)inWorker()},1)`,
      { eval: true },
    );
  },
  pbkdf2() {
    const _n = 0;
    (function again() {
      if (!isOver()) crypto.pbkdf2('a', 'b', 20000, 64, 'sha512', again);
    })();
  },
  pbkdf2Sync() {
    while (!isOver()) crypto.pbkdf2Sync('a', 'b', 5000, 64, 'sha512');
  },
  hash() {
    while (!isOver()) crypto.createHash('sha256').update(big).digest('hex');
  },
  zlibAsync() {
    (function again() {
      if (!isOver()) zlib.gzip(big, again);
    })();
  },
  zlibSync() {
    while (!isOver()) zlib.inflateSync(zlib.deflateSync(Buffer.from(text)));
  },
  brotliSync() {
    while (!isOver())
      zlib.brotliCompressSync(Buffer.from(text), { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } });
  },
  dns() {
    const dns = require('node:dns');
    (function again() {
      if (!isOver())
        dns.lookup('localhost', () => {
          burn(2000);
          again();
        });
    })();
  },
  gc() {
    let keep = [];
    while (!isOver()) {
      for (let i = 0; i < 2000; i++) keep.push({ i, a: [i, `${i}`] });
      if (keep.length > 400000) keep = [];
    }
  },
  json() {
    while (!isOver()) JSON.stringify(JSON.parse(text));
  },
  regexp() {
    const s = 'foo bar baz '.repeat(500);
    while (!isOver()) s.replace(/(\w+)\s(\w+)/g, '$2 $1');
  },
  megamorphic() {
    const os_ = Array.from({ length: 50 }, (_, i) => ({ [`k${i}`]: 1, v: i }));
    function read(o) {
      return o.v;
    }
    let _x = 0;
    while (!isOver()) for (let i = 0; i < 100000; i++) _x += read(os_[i % 50]);
  },
  sort() {
    while (!isOver()) Array.from({ length: 20000 }, (_, i) => (i * 7919) % 20011).sort((a, b) => a - b);
  },
  vm() {
    while (!isOver())
      new vm.Script(
        `(function inVm(){let x=0;for(let i=0;i<20000;i++)x+=i;return x})() // ${Math.random()}`,
      ).runInThisContext();
  },
  eval() {
    let i = 0;
    while (!isOver())
      // biome-ignore lint/security/noGlobalEval: it is what this case is about
      eval(`(function f${i++}(a){ return a.map(x=>x+${i}).filter(Boolean) })([1,2,3])`);
  },
  compile() {
    const src =
      Array.from(
        { length: 400 },
        (_, i) => `function g${i}(a,b){ if(a>b) return a*${i}; for(let k=0;k<3;k++) b+=k; return b }`,
      ).join('\n') + Array.from({ length: 400 }, (_, i) => `g${i}(1,2)`).join(';');
    let i = 0;
    while (!isOver()) vm.runInThisContext(`${src}//${i++}`);
  },
  childSync() {
    while (!isOver()) execFileSync('/bin/true');
  },
  console() {
    while (!isOver()) for (let i = 0; i < 100; i++) console.log('line', i, { a: 1 });
  },
  structured() {
    const o = JSON.parse(text);
    while (!isOver()) structuredClone(o);
  },
  intl() {
    while (!isOver())
      for (let i = 0; i < 500; i++) `${(i * 1.5).toLocaleString('de')}${'a'.localeCompare('b')}`.normalize('NFD');
  },
  sqlite() {
    let s;
    try {
      s = require('node:sqlite');
    } catch {
      return;
    }
    const d = new s.DatabaseSync(':memory:');
    d.exec('create table t(a,b)');
    const q = d.prepare('insert into t values(?,?)');
    for (let i = 0; i < 1000; i++) q.run(i, `x${i}`);
    const r = d.prepare("select sum(a), count(*) from t where b like '%9%'");
    while (!isOver()) r.get();
  },
};
const name = process.argv[2];
if (name === '--list') console.log(Object.keys(cases).join(' '));
else cases[name]();
