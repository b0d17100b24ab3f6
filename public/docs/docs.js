// Renders /openapi.json: each route with its parameters, bodies and responses. Nothing is parsed as HTML.

const METHODS = ["get", "head", "post", "put", "patch", "delete"];
// The maximum nesting of schemas. Those of this API nest less deeply.
const MAX_DEPTH = 8;

function element(name, content, className) {
  const it = document.createElement(name);
  it.append(...(Array.isArray(content) ? content : [content]));
  if (className) it.className = className;
  return it;
}

// Renders the two marks of descriptions: an empty line, and `code`.
function prose(text) {
  return text.split("\n\n").map((paragraph) => element("p", inline(paragraph)));
}

function inline(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", part) : part));
}

function resolver(description) {
  return function resolve(value) {
    if (!value?.$ref) return value ?? {};
    const target = value.$ref.slice(2).split("/").reduce((node, name) => node?.[name], description);
    const { $ref, ...siblings } = value;
    return { name: $ref.split("/").pop(), ...resolve(target), ...siblings };
  };
}

function typeOf(schema) {
  if (schema.enum) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(", ")}`;
  const types = [schema.type ?? []].flat();
  const format = schema.format ? ` (${schema.format})` : "";
  return types.length > 0 ? types.join(" or ") + format : "";
}

function limitsOf(schema) {
  const labels = [
    ["minimum", "minimum"], ["maximum", "maximum"], ["minLength", "minimum length"],
    ["maxLength", "maximum length"], ["minItems", "minimum items"], ["maxItems", "maximum items"],
    ["default", "default"], ["pattern", "pattern"],
  ];
  return labels
    .filter(([key]) => schema[key] !== undefined)
    .map(([key, label]) => `${label} ${typeof schema[key] === "string" ? schema[key] : JSON.stringify(schema[key])}`);
}

// Renders a schema as one line, with its members below.
function schemaNodes(raw, resolve, depth) {
  const schema = resolve(raw);
  const choices = schema.oneOf ?? schema.anyOf;
  const nodes = [];
  const head = [typeOf(schema) || (choices || schema.allOf ? "" : "any JSON"), ...limitsOf(schema)];
  const line = head.filter(Boolean).join("; ");
  if (line) nodes.push(element("span", line, "limits"));
  if (schema.description) nodes.push(...prose(schema.description));
  if (depth === 0) return nodes;
  if (schema.properties || schema.allOf) nodes.push(...memberNodes(schema, resolve, depth));
  if (schema.items) nodes.push(element("div", ["each item: ", ...schemaNodes(schema.items, resolve, depth - 1)], "schema"));
  for (const [index, choice] of (choices ?? []).entries()) {
    const inner = schemaNodes(choice, resolve, depth - 1);
    nodes.push(element("div", [index === 0 ? "either: " : "or: ", ...inner], "schema"));
  }
  return nodes;
}

function membersOf(raw, resolve) {
  const schema = resolve(raw);
  const own = Object.entries(schema.properties ?? {})
    .map(([name, value]) => [name, value, schema.required?.includes(name) ?? false]);
  return [...(schema.allOf ?? []).flatMap((part) => membersOf(part, resolve)), ...own];
}

function memberNodes(schema, resolve, depth) {
  const list = element("dl", [], "schema");
  for (const [name, value, required] of new Map(membersOf(schema, resolve).map((it) => [it[0], it])).values()) {
    const term = element("dt", [element("code", name), required ? "" : " (optional)"]);
    list.append(term, element("dd", schemaNodes(value, resolve, depth - 1)));
  }
  return [list];
}

function example(value, label) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const block = element("pre", element("code", text));
  block.tabIndex = 0;
  block.setAttribute("aria-label", label);
  return block;
}

function contentNodes(content, resolve) {
  return Object.entries(content ?? {}).flatMap(([type, media]) => {
    const examples = Object.values(media.examples ?? {}).map((it) => it.value);
    if (media.example !== undefined) examples.push(media.example);
    const shown = examples.map((value) => example(value, `Example, ${type}`));
    const form = element("details", [element("summary", "Schema"), ...schemaNodes(media.schema, resolve, MAX_DEPTH)]);
    return [element("p", element("code", type)), ...shown, form];
  });
}

function parameterNodes(operation, resolve) {
  const parameters = (operation.parameters ?? []).map(resolve);
  if (parameters.length === 0) return [];
  const list = element("dl", []);
  for (const it of parameters) {
    const facts = ` in ${it.in}${it.required ? "" : ", optional"}`;
    const sample = it.example === undefined ? [] : [element("p", ["Example: ", element("code", String(it.example))])];
    list.append(
      element("dt", [element("code", it.name), element("span", facts, "limits")]),
      element("dd", [...prose(it.description ?? ""), ...schemaNodes(it.schema, resolve, MAX_DEPTH), ...sample]),
    );
  }
  return [element("h4", "Parameters"), list];
}

function headerNodes(headers, resolve) {
  const names = Object.entries(headers ?? {});
  if (names.length === 0) return [];
  const list = element("dl", []);
  for (const [name, raw] of names) {
    const header = resolve(raw);
    const sample = header.example ? [" Example: ", element("code", header.example)] : [];
    list.append(element("dt", element("code", name)), element("dd", [...inline(header.description ?? ""), ...sample]));
  }
  return [element("details", [element("summary", "Headers"), list])];
}

function responseNodes(operation, resolve) {
  const responses = Object.entries(operation.responses).map(([status, raw]) => {
    const response = resolve(raw);
    const heading = element("summary", [element("strong", status), " ", ...inline(response.description ?? "")]);
    const block = element("details", [heading, ...headerNodes(response.headers, resolve), ...contentNodes(response.content, resolve)]);
    block.open = status.startsWith("2");
    return block;
  });
  return [element("h4", "Responses"), ...responses];
}

function operationNode(path, method, operation, resolve) {
  const title = [element("span", method.toUpperCase(), "method"), element("code", path)];
  const body = operation.requestBody ? resolve(operation.requestBody) : null;
  const article = element("article", [
    element("h3", element("a", title)),
    element("p", [element("strong", operation.summary), " ", element("code", operation.operationId, "name")]),
    ...prose(operation.description),
    ...parameterNodes(operation, resolve),
    ...(body ? [element("h4", body.required ? "Request body" : "Request body (optional)"), ...contentNodes(body.content, resolve)] : []),
    ...responseNodes(operation, resolve),
  ]);
  article.id = operation.operationId;
  article.querySelector("h3 a").href = `#${operation.operationId}`;
  return article;
}

function show(description) {
  const resolve = resolver(description);
  const operations = Object.entries(description.paths)
    .flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => [path, method, item[method]]));
  const scheme = Object.values(description.components.securitySchemes)[0];
  document.getElementById("about").replaceChildren(...prose(description.info.description), ...prose(scheme.description));
  const contents = [];
  const routes = [];
  for (const tag of description.tags) {
    const own = operations.filter(([, , operation]) => operation.tags.includes(tag.name));
    const links = own.map(([path, method, operation]) => {
      const link = element("a", [element("span", method.toUpperCase(), "method"), element("code", path)]);
      link.href = `#${operation.operationId}`;
      return element("li", link);
    });
    contents.push(element("h2", tag.name), element("ul", links));
    const heading = element("h2", tag.name);
    heading.id = `tag-${tag.name}`;
    const articles = own.map(([path, method, operation]) => operationNode(path, method, operation, resolve));
    const section = element("section", [heading, ...prose(tag.description), ...articles]);
    section.setAttribute("aria-labelledby", heading.id);
    routes.push(section);
  }
  document.getElementById("contents").replaceChildren(...contents);
  document.getElementById("routes").replaceChildren(...routes);
  // The target of the fragment exists only now.
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

async function load() {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`status ${response.status}`);
  show(await response.json());
}

load().catch((error) => {
  const message = element("p", [element("code", "/openapi.json"), ` could not be loaded: ${error.message}.`], "failed");
  message.setAttribute("role", "alert");
  document.getElementById("routes").replaceChildren(message);
});
