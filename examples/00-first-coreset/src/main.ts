import { getDataset } from '@bpc/bench';
import { jsRuntime } from '@bpc/compiler';
import { contrastiveDivergence, crossEntropyEnergy, fromNearestMean, key, learn, sampled, sgd, supervised } from '@bpc/core';
import { convNet } from '@bpc/models';
import { trainExperts } from './train-experts.js';

const digits = await getDataset('digits');
const runtime = jsRuntime();
const network = convNet({ inputShape: digits.shape, outputs: digits.classes, depth: 2, width: 16 });
const experts = await trainExperts({ network, digits, runtime, count: 3, epochs: 4, key: key(1) });
const model = supervised({ network, energy: crossEntropyEnergy() });
const objective = sampled(contrastiveDivergence({ steps: 10, stepSize: 0.01, temperature: 0 }), { model, experts });
const start = fromNearestMean({ data: { ...digits.train, ...digits }, imagesPerClass: 1 });
const optimizer = sgd({ learningRate: 10 });
const coreset = await learn({ objective, coreset: start, optimizer, runtime, steps: 100, key: key(0) }).collect();
console.log(`learned ${coreset.x.shape[0]} images of ${digits.train.count}`);
