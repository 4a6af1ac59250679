// Measures what the adapter with preset prototypes (src/common/http/preset-express-adapter.ts) gains
// over Nest's own: POST of a small JSON body, echoed, 16 connections, each arm a process of its own,
// in interleaved slices. Both have the same Express settings, so that the prototypes alone differ.
// Budget: the median of the rounds' ratios is at least 1.5. Run it after each upgrade of Express or Node.
//
// node bench/adapter.mjs [rounds, default 6] [seconds a round and arm, default 4]
import 'reflect-metadata';

import { fileURLToPath } from 'node:url';

import { Body, Controller, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';

import { PresetExpressAdapter } from '../dist/common/http/preset-express-adapter.js';
import { drive } from './load.mjs';
import {
  answers,
  cpuMicros,
  freePort,
  judge,
  median,
  printMachine,
  printTable,
  spread,
  startNode,
} from './support.mjs';

const CONNECTIONS = 16;
const WARM_UP_MS = 3000;
const SLICE_MS = 500;
const MIN_RATIO = 1.5;
const BODY = JSON.stringify({ username: 'ada', email: 'ada@example.com', roles: ['user'], active: true });
const REQUEST = `POST /echo HTTP/1.1\r\nHost: bench.test\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

if (process.env.BENCH_ARM) await serve(process.env.BENCH_ARM, Number(process.env.BENCH_PORT));
else await compare();

/** A Nest application with one route, on the adapter of an arm. */
async function serve(arm, port) {
  class EchoController {
    echo(body) {
      return body;
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(EchoController.prototype, 'echo');
  Body()(EchoController.prototype, 'echo', 0);
  Post('echo')(EchoController.prototype, 'echo', descriptor);
  HttpCode(200)(EchoController.prototype, 'echo', descriptor);
  Controller()(EchoController);
  class EchoModule {}
  Module({ controllers: [EchoController] })(EchoModule);

  const preset = new PresetExpressAdapter();
  const adapter = arm === 'preset' ? preset : new ExpressAdapter();
  for (const name of ['etag', 'x-powered-by']) adapter.set(name, preset.getInstance().get(name));
  const app = await NestFactory.create(EchoModule, adapter, { logger: ['error'] });
  adapter.getInstance().get('/ready', (_request, response) => response.end());
  await app.listen(port, '127.0.0.1');
  process.once('SIGTERM', () => process.exit(0));
}

async function compare() {
  const [rounds = 6, seconds = 4] = process.argv.slice(2).map(Number);
  printMachine();
  const arms = [];
  try {
    for (const name of ['stock', 'preset']) {
      const port = await freePort();
      const server = startNode([fileURLToPath(import.meta.url)], {
        BENCH_ARM: name,
        BENCH_PORT: String(port),
        NODE_ENV: 'production',
      });
      arms.push({ name, port, rates: [], micros: [], ...server });
      await answers(`http://127.0.0.1:${port}/ready`, server.exited);
    }
    for (const arm of arms) await echo(arm, WARM_UP_MS);
    for (let round = 0; round < rounds; round++) {
      const sums = new Map(arms.map((arm) => [arm, { done: 0, seconds: 0, cpu: 0 }]));
      for (let slice = round; slice < round + (seconds * 1000) / SLICE_MS; slice++) {
        for (const arm of slice % 2 === 0 ? arms : arms.toReversed()) {
          const sum = sums.get(arm);
          const before = cpuMicros(arm.pid);
          const { done, seconds: took } = await echo(arm, SLICE_MS);
          sum.done += done;
          sum.seconds += took;
          sum.cpu += cpuMicros(arm.pid) - before;
        }
      }
      for (const [arm, { done, seconds: took, cpu }] of sums) {
        arm.rates.push(done / took);
        arm.micros.push(cpu / done);
      }
    }
  } finally {
    for (const arm of arms) await arm.stop();
  }
  const [stock, preset] = arms;
  const ratios = preset.rates.map((rate, round) => rate / stock.rates[round]);
  printTable([
    ['median (range)', 'requests/s', 'CPU µs'],
    ...arms.map(({ name, rates, micros }) => [name, spread(rates), spread(micros)]),
  ]);
  judge([
    {
      what: `preset prototypes ${spread(ratios, 2)} of the stock adapter, at least ${MIN_RATIO}`,
      met: median(ratios) >= MIN_RATIO,
    },
  ]);
}

function echo({ port }, ms) {
  return drive({
    port,
    connections: CONNECTIONS,
    ms,
    next: () => REQUEST,
    answered: (_index, _head, body) => {
      if (body !== BODY) throw new Error(`not an echo: ${body}`);
    },
  });
}
