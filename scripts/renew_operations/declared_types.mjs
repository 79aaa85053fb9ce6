// Prints the operations of the official SDK for TypeScript, with their declared types as JSON
// Schema: node declared_types.mjs NODE_MODULES
// Recursive types become {"$ref": "folder.Name"} into "types"; all others are written out.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const modules = path.resolve(process.argv[2]);
const ts = createRequire(path.join(modules, 'x.js'))('typescript');
const generated = path.join(modules, '@dfns/sdk/generated');
const { SyntaxKind } = ts;

const NEVER = { not: {} }; // undefined and void: what JSON cannot say
const KEYWORDS = {
  [SyntaxKind.StringKeyword]: { type: 'string' },
  [SyntaxKind.NumberKeyword]: { type: 'number' },
  [SyntaxKind.BooleanKeyword]: { type: 'boolean' },
  [SyntaxKind.AnyKeyword]: {},
  [SyntaxKind.UnknownKeyword]: {},
  [SyntaxKind.UndefinedKeyword]: NEVER,
  [SyntaxKind.VoidKeyword]: NEVER,
};

class Folder {
  constructor(name, types) {
    this.name = name;
    this.types = types;
    const file = path.join(generated, name, 'types.d.ts');
    const source = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    this.aliases = new Map(
      source.statements.filter(ts.isTypeAliasDeclaration).map((one) => [one.name.text, one.type]),
    );
    this.open = [];
    this.recursive = new Set();
  }

  // The schema of a type that has a name; null where there is none.
  named(name) {
    if (!this.aliases.has(name)) return null;
    const full = `${this.name}.${name}`;
    if (this.open.includes(name)) {
      this.recursive.add(name);
      return { $ref: full };
    }
    this.open.push(name);
    const schema = this.schema(this.aliases.get(name));
    this.open.pop();
    if (this.recursive.has(name)) this.types[full] = schema;
    return schema;
  }

  schema(node) {
    if (node.kind in KEYWORDS) return KEYWORDS[node.kind];
    if (ts.isParenthesizedTypeNode(node)) return this.schema(node.type);
    if (ts.isArrayTypeNode(node)) return { type: 'array', items: this.schema(node.elementType) };
    if (ts.isLiteralTypeNode(node)) return this.literal(node.literal);
    if (ts.isUnionTypeNode(node)) return united(node.types.map((one) => this.schema(one)));
    if (ts.isIntersectionTypeNode(node)) return merged(node.types.map((one) => this.schema(one)));
    if (ts.isTypeLiteralNode(node)) return this.object(node);
    if (ts.isTypeReferenceNode(node)) return this.reference(node);
    throw new Error(`${this.name}: no schema for ${SyntaxKind[node.kind]} ${node.getText()}`);
  }

  literal(node) {
    if (node.kind === SyntaxKind.NullKeyword) return { type: 'null' };
    if (ts.isStringLiteral(node)) return { type: 'string', const: node.text };
    if (ts.isNumericLiteral(node)) return { type: 'number', const: Number(node.text) };
    return { type: 'boolean', const: node.kind === SyntaxKind.TrueKeyword };
  }

  reference(node) {
    const name = node.typeName.getText();
    if (name === 'Omit') {
      const { properties, required, ...rest } = this.schema(node.typeArguments[0]);
      const left = united([this.schema(node.typeArguments[1])]);
      const gone = left.enum ?? [left.const];
      return {
        ...rest,
        properties: Object.fromEntries(Object.entries(properties).filter(([key]) => !gone.includes(key))),
        required: required.filter((key) => !gone.includes(key)),
      };
    }
    const schema = this.named(name);
    if (schema === null) throw new Error(`${this.name}: no type ${name}`);
    return schema;
  }

  object(node) {
    const properties = {};
    const required = [];
    let others = false;
    for (const member of node.members) {
      if (ts.isIndexSignatureDeclaration(member)) {
        others = this.schema(member.type);
        continue;
      }
      const name = ts.isStringLiteral(member.name) ? member.name.text : member.name.getText();
      const options = optionsOf(this.schema(member.type));
      const present = options.filter((one) => !('not' in one));
      if (present.length) properties[name] = united(present);
      if (!member.questionToken && present.length === options.length) required.push(name);
    }
    if (node.members.length === 0) return { type: 'object' }; // `{}` is any object in TypeScript
    return {
      type: 'object',
      ...(Object.keys(properties).length ? { properties } : {}),
      ...(required.length ? { required } : {}),
      additionalProperties: others,
    };
  }
}

// The schemas of which a value has one; lists of strings are taken apart.
function optionsOf(schema) {
  if (schema.anyOf) return schema.anyOf.flatMap(optionsOf);
  if (schema.enum) return schema.enum.map((value) => ({ type: schema.type, const: value }));
  return Array.isArray(schema.type) ? schema.type.map((type) => ({ type })) : [schema];
}

// One of several schemas: strings as one list, names of types as one list, without repetition.
function united(schemas) {
  const options = schemas.flatMap(optionsOf);
  const isAnyString = options.some((one) => one.type === 'string' && !('const' in one));
  const strings = [...new Set(options.map((one) => one.const).filter((value) => typeof value === 'string'))];
  const listed = isAnyString ? { type: 'string' }
    : strings.length === 1 ? { type: 'string', const: strings[0] } : { type: 'string', enum: strings };
  const joined = [];
  for (const one of options) {
    const schema = typeof one.const === 'string' ? listed : one;
    if (!joined.some((other) => JSON.stringify(other) === JSON.stringify(schema))) joined.push(schema);
  }
  if (joined.length === 1) return joined[0];
  if (joined.every((one) => Object.keys(one).length === 1 && typeof one.type === 'string')) {
    return { type: joined.map((one) => one.type) };
  }
  return { anyOf: joined };
}

function merged(schemas) {
  if (schemas.some((one) => one.anyOf)) {
    const [first, ...rest] = schemas;
    const options = first.anyOf ?? [first];
    const more = rest.length > 1 ? merged(rest) : rest[0];
    return united(options.flatMap((one) => (more.anyOf ?? [more]).map((other) => merged([one, other]))));
  }
  const required = [...new Set(schemas.flatMap((one) => one.required ?? []))];
  return {
    type: 'object',
    properties: Object.assign({}, ...schemas.map((one) => one.properties ?? {})),
    ...(required.length ? { required } : {}),
    additionalProperties: false,
  };
}

// A whole body, query or answer: nothing is sent as null or not at all, and `{}` has no members.
function asSent(schema, part) {
  const present = optionsOf(schema).filter((one) => !('not' in one));
  if (present.length === 0) return { type: 'null' };
  const isEmpty = part === 'Response' && JSON.stringify(present) === '[{"type":"object"}]';
  return isEmpty ? { type: 'object', additionalProperties: false } : united(present);
}

// Method, path, and whether a user action is signed, of each method of a client.
function* calls(folder) {
  const text = fs.readFileSync(path.join(generated, folder, 'client.js'), 'utf8');
  for (const part of text.split(/\n    async /).slice(1)) {
    if (/return this\.\w+\(/.test(part)) continue; // another name of a method
    yield {
      name: part.match(/^\w+/)[0],
      method: part.match(/method: '(\w+)'/)[1],
      path: part.match(/buildPathAndQuery\)\('([^']+)'/)[1].replace(/:(\w+)/g, '{$1}'),
      signed: /userActionFetch\)/.test(part),
      multipart: /^\w+\([^)]*\bfile\b/.test(part),
    };
  }
}

const operations = [];
const types = {};
for (const name of fs.readdirSync(generated).sort()) {
  const folder = new Folder(name, types);
  for (const call of calls(name)) {
    const base = call.name[0].toUpperCase() + call.name.slice(1);
    const shapes = {};
    for (const part of ['Query', 'Body', 'Response']) {
      const schema = folder.named(base + part);
      if (schema !== null) shapes[part.toLowerCase()] = asSent(schema, part);
    }
    operations.push({ ...call, group: name, shapes });
  }
}
process.stdout.write(JSON.stringify({ operations, types }));
