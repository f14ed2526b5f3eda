// Adaptive Cards in the page's own look.
import * as AC from "adaptivecards";
import MarkdownIt from "markdown-it";

const markdown = new MarkdownIt({ html: false, linkify: false });
AC.AdaptiveCard.onProcessMarkdown = (text, result) => {
  result.outputHtml = markdown.render(text);
  result.didProcess = true;
};

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function hostConfig(): AC.HostConfig {
  const tone = (main: string, subtle: string) => ({ default: token(main), subtle: token(subtle) });
  const colors = {
    default: tone("--text", "--muted"), dark: tone("--text", "--muted"), light: tone("--muted", "--muted"),
    accent: tone("--accent", "--accent"), good: tone("--ok", "--ok"), warning: tone("--attention", "--attention"), attention: tone("--failed", "--failed"),
  };
  const style = (background: string) => ({ backgroundColor: token(background), foregroundColors: colors });
  return new AC.HostConfig({
    supportsInteractivity: true,
    fontFamily: token("--sans"),
    fontSizes: { small: 13, default: 14, medium: 16, large: 20, extraLarge: 28 },
    lineHeights: { small: 20, default: 21, medium: 24, large: 28, extraLarge: 36 },
    spacing: { small: 4, default: 12, medium: 16, large: 24, extraLarge: 32, padding: 16 },
    separator: { lineThickness: 1, lineColor: token("--rule") },
    containerStyles: { default: style("--surface"), emphasis: style("--raised"), accent: style("--raised"), good: style("--raised"), warning: style("--raised"), attention: style("--raised") },
    actions: { maxActions: 10, spacing: "default", buttonSpacing: 0, actionsOrientation: "horizontal", actionAlignment: "left", showCard: { actionMode: "inline" } },
    textBlock: { headingLevel: 2 },
    adaptiveCard: { allowCustomStyle: false },
    imageSizes: { small: 40, medium: 80, large: 160 },
  });
}

// renderCard returns the card's element; throws when the content is no card.
export function renderCard(content: unknown, locale: string, submit: (title: string, data: unknown) => void): HTMLElement {
  const card = new AC.AdaptiveCard();
  card.hostConfig = hostConfig();
  card.lang = locale;
  card.onExecuteAction = (action) => {
    if (action instanceof AC.OpenUrlAction) {
      if (/^(https?|mailto):/i.test(action.url ?? "")) window.open(action.url, "_blank", "noopener");
      return;
    }
    if (action instanceof AC.SubmitAction || action instanceof AC.ExecuteAction) submit(action.title ?? "", action.data ?? {});
  };
  card.parse(content as AC.IAdaptiveCard);
  const element = card.render();
  if (!element) throw new Error("no card");
  for (const link of element.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener";
  }
  return element;
}
