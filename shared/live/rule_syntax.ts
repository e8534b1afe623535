/**
 * The language of rules: a parser of exactly its grammar. Nothing is ever evaluated as JavaScript.
 *
 * `auth.openid == doc._openid && doc.status in ['open', 'shared']`: literals, lists, templates with `${}`, `auth`, `doc`, `request`,
 * `now`, members by `.name` and `[expression]`, `get(path)`, and the operators `! && || == != < <= > >= in`. `===` is `==`.
 */
import type { Comparison, Rule } from "../collection.ts";
import { maxGetDepth, maxGets, maxRuleDepth, maxRuleLength } from "./limits.ts";

export type { Comparison, Rule };

/** A rule that is not of the language. `column` counts from 1. */
export class RuleError extends Error {
  readonly column: number;
  constructor(why: string, column: number) {
    super(`${why}, at character ${column} of the rule`);
    this.column = column;
  }
}

/** Parses a rule. @throws RuleError */
export function parseRule(text: string): Rule {
  if (text.length > maxRuleLength)
    throw new RuleError(`a rule has at most ${maxRuleLength} characters`, maxRuleLength + 1);
  return new Parser(text).rule();
}

interface Token {
  readonly kind: "name" | "number" | "text" | "template" | "symbol" | "end";
  readonly text: string;
  readonly at: number;
}

const lexeme =
  /\s+|([A-Za-z_]\w*)|(\d+(?:\.\d+)?)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|`((?:[^`\\]|\\.)*)`|(===|!==|==|!=|<=|>=|&&|\|\||[-<>!()[\],.])/y;

function tokensOf(text: string, offset: number): Token[] {
  const tokens: Token[] = [];
  lexeme.lastIndex = 0;
  while (lexeme.lastIndex < text.length) {
    const at = lexeme.lastIndex;
    const found = lexeme.exec(text);
    if (found === null) throw new RuleError(`${JSON.stringify(text[at])} is not of the language`, offset + at + 1);
    const [, name, number, quoted, template, symbol] = found;
    if (name !== undefined) tokens.push({ kind: "name", text: name, at: offset + at });
    else if (number !== undefined) tokens.push({ kind: "number", text: number, at: offset + at });
    else if (quoted !== undefined) tokens.push({ kind: "text", text: unescaped(quoted.slice(1, -1)), at: offset + at });
    else if (template !== undefined) tokens.push({ kind: "template", text: template, at: offset + at });
    else if (symbol !== undefined) tokens.push({ kind: "symbol", text: symbol, at: offset + at });
  }
  tokens.push({ kind: "end", text: "", at: offset + text.length });
  return tokens;
}

/** A backslash takes the next character as it is. */
const unescaped = (text: string) => text.replace(/\\(.)/gs, "$1");

/** Reserved by JavaScript, so that nobody reads them as variables. */
const constants: ReadonlyMap<string, null | boolean> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
  ["undefined", null],
]);
const variables: ReadonlySet<string> = new Set(["auth", "doc", "request", "now"]);
const comparisons: ReadonlyMap<string, Comparison> = new Map([
  ["==", "=="],
  ["===", "=="],
  ["!=", "!="],
  ["!==", "!="],
  ["<", "<"],
  ["<=", "<="],
  [">", ">"],
  [">=", ">="],
  ["in", "in"],
]);

class Parser {
  #tokens: readonly Token[];
  #next = 0;
  #gets = 0;
  #getDepth = 0;
  #depth = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text, 0);
  }

  rule(): Rule {
    const rule = this.#or();
    if (this.#peek.kind !== "end") throw this.#unexpected();
    return rule;
  }

  #or(): Rule {
    return this.#deeper(() => this.#joined("or", "||", () => this.#joined("and", "&&", () => this.#comparison())));
  }

  #joined(kind: "and" | "or", symbol: string, part: () => Rule): Rule {
    const first = part();
    const parts = [first];
    while (this.#take(symbol)) parts.push(part());
    return parts.length === 1 ? first : { kind, parts };
  }

  #comparison(): Rule {
    const left = this.#unary();
    const operator = this.#operator();
    if (operator === undefined) return left;
    this.#next += 1;
    const right = this.#unary();
    // `a < b < c` means something else in every language.
    if (this.#operator() !== undefined) throw this.#unexpected();
    return { kind: "compare", operator, left, right };
  }

  /** A text in quotes may hold the same characters. */
  #operator(): Comparison | undefined {
    const { kind, text } = this.#peek;
    return kind === "symbol" || kind === "name" ? comparisons.get(text) : undefined;
  }

  #unary(): Rule {
    if (this.#take("!")) return this.#deeper(() => ({ kind: "not", of: this.#unary() }));
    if (this.#take("-")) {
      const token = this.#advance();
      if (token.kind !== "number") throw new RuleError("a minus stands before a number only", token.at + 1);
      return { kind: "literal", value: -Number(token.text) };
    }
    return this.#members(this.#primary());
  }

  #members(of: Rule): Rule {
    let rule = of;
    for (let count = 0; ; count++) {
      if (count > maxRuleDepth) throw new RuleError("too many members behind each other", this.#peek.at + 1);
      if (this.#take(".")) {
        const token = this.#advance();
        if (token.kind !== "name") throw new RuleError("expected a name behind the dot", token.at + 1);
        rule = { kind: "member", of: rule, name: { kind: "literal", value: token.text } };
      } else if (this.#take("[")) {
        rule = { kind: "member", of: rule, name: this.#or() };
        this.#expect("]");
      } else return rule;
    }
  }

  #primary(): Rule {
    const token = this.#advance();
    if (token.kind === "number") return { kind: "literal", value: Number(token.text) };
    if (token.kind === "text") return { kind: "literal", value: token.text };
    if (token.kind === "template") return this.#template(token);
    if (token.kind === "name") return this.#name(token);
    if (token.text === "(") {
      const rule = this.#or();
      this.#expect(")");
      return rule;
    }
    if (token.text === "[") return { kind: "list", parts: this.#list() };
    this.#next -= 1;
    throw this.#unexpected();
  }

  #list(): Rule[] {
    const parts: Rule[] = [];
    while (!this.#take("]")) {
      if (parts.length > 0) this.#expect(",");
      parts.push(this.#or());
    }
    return parts;
  }

  #name(token: Token): Rule {
    const constant = constants.get(token.text);
    if (constant !== undefined) return { kind: "literal", value: constant };
    if (variables.has(token.text)) return { kind: "variable", name: token.text as "auth" };
    if (token.text !== "get")
      throw new RuleError(`"${token.text}" is unknown: there are auth, doc, request, now and get()`, token.at + 1);
    this.#expect("(");
    this.#gets += 1;
    this.#getDepth += 1;
    if (this.#gets > maxGets) throw new RuleError(`a rule calls get() at most ${maxGets} times`, token.at + 1);
    if (this.#getDepth > maxGetDepth)
      throw new RuleError(`get() stands in get() at most ${maxGetDepth} deep`, token.at + 1);
    const path = this.#or();
    this.#getDepth -= 1;
    this.#expect(")");
    return { kind: "get", path };
  }

  /** A template's texts, and its expressions, which are parsed in its place so that the limits hold for all together. */
  #template({ text, at }: Token): Rule {
    const parts: Rule[] = [];
    const [outer, next] = [this.#tokens, this.#next];
    let rest = 0;
    for (const found of text.matchAll(/\$\{([^}]*)\}/g)) {
      if (found.index > rest) parts.push({ kind: "literal", value: unescaped(text.slice(rest, found.index)) });
      this.#tokens = tokensOf(found[1] ?? "", at + 1 + found.index + 2);
      this.#next = 0;
      parts.push(this.rule());
      rest = found.index + found[0].length;
    }
    [this.#tokens, this.#next] = [outer, next];
    if (rest < text.length) parts.push({ kind: "literal", value: unescaped(text.slice(rest)) });
    return { kind: "template", parts };
  }

  #deeper(parse: () => Rule): Rule {
    this.#depth += 1;
    if (this.#depth > maxRuleDepth) throw new RuleError("the rule is nested too deep", this.#peek.at + 1);
    const rule = parse();
    this.#depth -= 1;
    return rule;
  }

  get #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: "end", text: "", at: 0 };
  }

  #advance(): Token {
    const token = this.#peek;
    this.#next += 1;
    return token;
  }

  #take(symbol: string): boolean {
    if (this.#peek.kind !== "symbol" || this.#peek.text !== symbol) return false;
    this.#next += 1;
    return true;
  }

  #expect(symbol: string): void {
    if (!this.#take(symbol)) throw new RuleError(`expected ${symbol}`, this.#peek.at + 1);
  }

  #unexpected(): RuleError {
    const { kind, text, at } = this.#peek;
    return new RuleError(
      kind === "end" ? "the rule ends too early" : `${JSON.stringify(text)} is not expected`,
      at + 1,
    );
  }
}
