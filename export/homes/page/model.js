// The ONNX model in this folder, run by onnxruntime-web in WebAssembly, in one thread: more would need headers that a static server does not send.

import * as ort from "./onnxruntime/ort.js";
import * as latents from "./latents.js";

const UNLIMITED = 3e38; // latents are drawn within their truncation; the model must not clip what lies between two of them
const ARRAYS = { int64: BigInt64Array, int32: Int32Array, float32: Float32Array };

/** Reads model.json and model.onnx. */
export async function load() {
  const about = await (await fetched("model.json")).json();
  const bytes = await (await fetched(about.file)).arrayBuffer();
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(new Uint8Array(bytes), { executionProviders: ["wasm"] });
  const model = new Model(about, session, bytes.byteLength);
  await model.image(new Float32Array(model.latentSize), about.examples); // the first run also prepares the others
  return model;
}

async function fetched(name) {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  return response;
}

/** One image at a time: a run cannot be interrupted, and between two of them the page answers. */
class Model {
  constructor(about, session, bytes) {
    this.about = about;
    this.bytes = bytes;
    this.prior = about.prior ?? "normal";
    [, this.height, this.width, this.channels] = about.outputs[0].shape;
    this.conditions = about.inputs.filter((input) => !["latents", "truncation"].includes(input.name));
    this.latentSize = about.inputs.find((input) => input.name === "latents").shape[1];
    this.session = session;
    this.last = Promise.resolve();
  }

  latents(seed, otherSeed, position, truncation) {
    const [a, b] = [seed, otherSeed].map((each) => latents.fromSeed(this.prior, each, this.latentSize, truncation));
    return latents.between(this.prior, a, b, position);
  }

  /** Latents [z] and {condition: its numbers} -> {values: Float32Array [h w c] in [-1, 1], milliseconds}. */
  image(vector, conditions) {
    const result = this.last.then(() => this.#run(vector, conditions)); // one run at a time
    this.last = result.catch(() => {});
    return result;
  }

  async #run(vector, conditions) {
    const given = { ...conditions, latents: Array.from(vector), truncation: [UNLIMITED] };
    const feeds = {};
    for (const { name, type, shape } of this.about.inputs) {
      const numbers = Array.from([given[name]].flat(Infinity), type === "int64" ? BigInt : Number);
      feeds[name] = new ort.Tensor(type, ARRAYS[type].from(numbers), [1, ...shape.slice(1)]);
    }
    const start = performance.now();
    const { images } = await this.session.run(feeds);
    return { values: images.data, milliseconds: performance.now() - start };
  }
}

/** Values in [-1, 1] -> ImageData, rounded to grey levels as `sample_png` does. */
export function pixels(values, height, width, channels) {
  const made = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 4; c++) {
      const source = channels === 1 && c < 3 ? 0 : c;
      made.data[4 * i + c] = source < channels ? Math.min(Math.max(Math.floor((values[channels * i + source] + 1) * 127.5 + 0.5), 0), 255) : 255;
    }
  }
  return made;
}
