import { component, op, s } from "@greentic/component";

export default component({
  name: "__NAME__",
  version: "0.1.0",
  title: "__TITLE__",
  summary: "Greets people and counts how often",
  config: s.object({ greeting: s.string({ default: "Hello", description: "the first word of the greeting" }) }),
  uses: ["state"],
  operations: {
    greet: op({
      summary: "greets somebody by name",
      input: s.object({ name: s.string({ description: "who is greeted", minLength: 1, maxLength: 100 }) }),
      output: s.object({ text: s.string({ description: "the greeting" }), times: s.integer({ description: "how often this name was greeted" }) }),
      run(ctx, { name }) {
        const key = `greeted/${name}`;
        const times = (ctx.state.get(key) ?? 0) + 1;
        ctx.state.set(key, times);
        return { text: `${ctx.config.greeting}, ${name}!`, times };
      },
    }),
  },
});
