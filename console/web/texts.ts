// The page's own words.
const all = {
  en: {
    language: "en",
    placeholder: "Write a message", send: "Send", fresh: "New conversation", connecting: "Connecting", online: "Online",
    offline: "Offline, trying again", sending: "Sending", failed: "Not sent", retry: "Try again", typing: "Writing an answer",
    you: "You", bot: "Assistant", log: "Conversation", cardBroken: "This card could not be shown.", attachment: "Attachment", chosen: "Chosen",
  },
  de: {
    language: "de",
    placeholder: "Nachricht schreiben", send: "Senden", fresh: "Neue Unterhaltung", connecting: "Verbinde", online: "Verbunden",
    offline: "Getrennt, neuer Versuch läuft", sending: "Wird gesendet", failed: "Nicht gesendet", retry: "Erneut senden", typing: "Antwort wird geschrieben",
    you: "Sie", bot: "Assistent", log: "Unterhaltung", cardBroken: "Diese Karte konnte nicht angezeigt werden.", attachment: "Anhang", chosen: "Gewählt",
  },
};

export type Texts = typeof all.en;

export function texts(locale: string): Texts {
  return locale.split("-")[0] === "de" ? all.de : all.en;
}

// language makes what a browser or an address says a language tag that is certainly one.
export function language(wish: string): string {
  try {
    return Intl.getCanonicalLocales(wish)[0] ?? "en";
  } catch {
    return "en";
  }
}
