// The controls and pictures of the page.

import { load, pixels } from "./model.js";

const STRIP = 9;
const COLUMNS = 8;
const SEED_ROWS = 3;
const CLASS_ROWS = 10;
const MOST_OPTIONS = 1000;

const element = (id) => document.getElementById(id);
const form = element("controls");
let model;
let drawing = 0;

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function say(text, wrong = false) {
  const status = element("status");
  status.textContent = text;
  status.classList.toggle("wrong", wrong);
  status.hidden = !text;
}

const isChoice = (input) => input.type.startsWith("int") && input.shape.length === 1 && input.low !== null && input.high - input.low < MOST_OPTIONS;

/** A choice for a class; a slider for each number of what is a vector or has no known end. */
function addCondition(input) {
  const group = make("fieldset", {}, make("legend", { textContent: input.name }));
  const examples = [model.about.examples[input.name]].flat(Infinity);
  if (isChoice(input)) {
    const options = Array.from({ length: input.high - input.low + 1 }, (_, i) => make("option", { textContent: input.low + i, value: input.low + i }));
    group.append(make("select", { id: `${input.name}.0`, ariaLabel: input.name }, ...options));
  } else {
    const whole = input.type.startsWith("int");
    const many = make("div", { className: "many" });
    examples.forEach((value, i) => {
      const id = `${input.name}.${i}`;
      const label = make("label", { htmlFor: id }, `number ${i + 1}`, make("output"));
      const range = { min: input.low ?? -1, max: input.high ?? 1, step: whole ? 1 : 0.01 };
      many.append(make("div", { className: "field" }, label, make("input", { id, type: "range", ...range, value })));
    });
    group.append(many);
  }
  element("conditions").append(group);
}

function settings() {
  const conditions = {};
  for (const input of model.conditions) {
    const fields = form.querySelectorAll(`[id^="${input.name}."]`);
    conditions[input.name] = Array.from(fields, (field) => Number(field.value));
  }
  const number = (id) => Number(element(id).value);
  return { seed: seedIn("seed"), otherSeed: seedIn("other_seed"), position: number("position"), truncation: number("truncation"), conditions };
}

function seedIn(id) {
  const text = element(id).value.trim();
  return /^-?\d+$/.test(text) ? BigInt(text) : 0n;
}

/** Fills a row of buttons with canvases, each a picture of its own once drawn; a click chooses its settings. */
function lay(container, columns, cells) {
  container.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
  while (container.children.length > cells.length) container.lastChild.remove();
  while (container.children.length < cells.length) {
    const canvas = make("canvas", { width: model.width, height: model.height });
    container.append(make("button", { type: "button" }, canvas));
  }
  cells.forEach(({ name, pressed, choose }, i) => {
    const button = container.children[i];
    Object.assign(button, { title: name, ariaLabel: name, ariaPressed: String(pressed), onclick: () => { choose(); refresh(); } });
  });
}

function stripCells(now) {
  return Array.from({ length: STRIP }, (_, i) => {
    const position = i / (STRIP - 1);
    const nearest = Math.round(now.position * (STRIP - 1)) === i;
    return { ...now, position, name: `Position ${position.toFixed(2)}`, pressed: nearest, choose: () => (element("position").value = position) };
  });
}

/** A column per seed; a row per class, of many those around the chosen one, or further seeds where there are none. */
function gridCells(now) {
  const chosen = model.conditions.find(isChoice);
  return chosen ? classCells(now, chosen) : seedCells(now);
}

function seedCells(now) {
  element("legend").textContent = `Seeds from ${now.seed} on.`;
  return Array.from({ length: SEED_ROWS * COLUMNS }, (_, i) => {
    const seed = now.seed + BigInt(i);
    return { ...now, seed, position: 0, name: `Seed ${seed}`, pressed: now.position === 0 && i === 0, choose: () => choose(seed) };
  });
}

function classCells(now, { name, low, high }) {
  const [current] = now.conditions[name];
  const first = low + Math.floor((current - low) / CLASS_ROWS) * CLASS_ROWS;
  const rows = Math.min(CLASS_ROWS, high + 1 - first);
  element("legend").textContent = `Columns: seeds from ${now.seed} on. Rows: ${name} ${first} to ${first + rows - 1}.`;
  return Array.from({ length: rows * COLUMNS }, (_, i) => {
    const seed = now.seed + BigInt(i % COLUMNS);
    const value = first + Math.floor(i / COLUMNS);
    return {
      ...now,
      seed,
      position: 0,
      conditions: { ...now.conditions, [name]: [value] },
      name: `Seed ${seed}, ${name} ${value}`,
      pressed: now.position === 0 && seed === now.seed && value === current,
      choose: () => {
        choose(seed);
        element(`${name}.0`).value = value;
      },
    };
  });
}

function choose(seed) {
  element("seed").value = seed;
  element("position").value = 0;
}

async function draw(canvas, wanted) {
  const vector = model.latents(wanted.seed, wanted.otherSeed, wanted.position, wanted.truncation);
  const { values, milliseconds } = await model.image(vector, wanted.conditions);
  canvas.getContext("2d").putImageData(pixels(values, model.height, model.width, model.channels), 0, 0);
  return milliseconds;
}

/** Draws everything anew, the large image first; a later call ends an earlier one. */
async function refresh() {
  const mine = ++drawing;
  for (const output of form.querySelectorAll("output")) output.textContent = Number(output.closest(".field").querySelector("input").value).toFixed(2);
  const now = settings();
  const image = element("image");
  document.body.dataset.state = "drawing";
  try {
    const milliseconds = await draw(image, now);
    if (mine !== drawing) return;
    const place = now.position === 0 ? `seed ${now.seed}` : `${Math.round(100 * now.position)} % from seed ${now.seed} to ${now.otherSeed}`;
    element("facts").textContent = `${place} \u00b7 ${milliseconds.toFixed(1)} ms in this browser`;
    image.ariaLabel = `Generated image, ${place}`;
    for (const [id, columns, cells] of [["strip", STRIP, stripCells(now)], ["grid", COLUMNS, gridCells(now)]]) {
      lay(element(id), columns, cells);
      for (const [i, cell] of cells.entries()) {
        await draw(element(id).children[i].firstChild, cell);
        await new Promise((resolve) => setTimeout(resolve)); // lets the page answer
        if (mine !== drawing) return;
      }
    }
    document.body.dataset.state = "ready";
  } catch (error) {
    say(`The model cannot be run: ${error.message}`, true);
  }
}

function introduce() {
  const { about } = model;
  document.title = element("title").textContent = about.model;
  const size = `${model.height} \u00d7 ${model.width}`;
  element("subtitle").textContent = `Version ${about.version} \u00b7 ${size} \u00b7 ${(model.bytes / 2 ** 20).toFixed(1)} MB, computed here, in this browser`;
  const same = about.prior ? "A seed has the same image here as at a server of this version." : "Seeds are this page's own: the version draws its latents otherwise.";
  element("about").replaceChildren(
    make("p", { textContent: same }),
    make("p", { textContent: `Runs by onnxruntime-web ${about["onnxruntime-web"]}. When it was made, it differed from the version by ${about.largest_difference.toExponential(1)} at most.` }),
  );
}

function listen() {
  form.addEventListener("input", refresh);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const button of form.querySelectorAll("[data-random]")) {
    button.onclick = () => {
      element(button.dataset.random).value = Math.floor(Math.random() * 1e6);
      refresh();
    };
  }
  element("save").onclick = () => make("a", { href: element("image").toDataURL("image/png"), download: `${model.about.model}.png` }).click();
}

async function start() {
  try {
    say("Loading the model.");
    model = await load();
  } catch (error) {
    return say(`The model cannot be loaded: ${error.message}`, true);
  }
  Object.assign(element("image"), { width: model.width, height: model.height });
  model.conditions.forEach(addCondition);
  introduce();
  listen();
  say("");
  for (const part of document.querySelectorAll("form, figure, section.wide")) part.hidden = false;
  await refresh();
}

start();
