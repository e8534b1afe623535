/** Renders a page, or a message when that fails: no error leaves an empty page, or one that sends requests in a loop. */
import { Component, type ComponentChildren, render } from "preact";
import { currentLanguage } from "./language.ts";
import { supportTranslation } from "./translated.ts";

/** Texts outside the dictionaries, since loading those may be what failed. */
const texts = {
  zh: { failed: "页面出了点问题", hint: "已下的订单不受影响。", again: "重试" },
  en: {
    failed: "Something is wrong with this page",
    hint: "Orders that were placed are not affected.",
    again: "Try again",
  },
} as const;

/** Delays of automatic reloads, for screens without a user in front; after the last one the page waits for a tap. */
export const retriesMs = [3_000, 15_000, 60_000] as const;

interface State {
  failed: boolean;
}

class Boundary extends Component<{ children: ComponentChildren }, State> {
  override state: State = { failed: false };
  failures = 0;
  timer: ReturnType<typeof setTimeout> | undefined;

  override componentDidCatch(error: unknown): void {
    // Reported as the browser reports any other error.
    setTimeout(() => {
      throw error;
    });
    this.setState({ failed: true });
    const waitMs = retriesMs[this.failures++];
    clearTimeout(this.timer);
    if (waitMs !== undefined) this.timer = setTimeout(this.again, waitMs);
  }

  again = () => {
    clearTimeout(this.timer);
    this.setState({ failed: false });
  };

  override render({ children }: { children: ComponentChildren }, { failed }: State) {
    const text = texts[currentLanguage()];
    return failed ? (
      <main class="failed">
        <div role="alert">
          <h1>{text.failed}</h1>
          <p>{text.hint}</p>
        </div>
        <button type="button" class="button primary" onClick={this.again}>
          {text.again}
        </button>
      </main>
    ) : (
      children
    );
  }
}

/** @param loaded resolves when the page's texts are loaded */
export async function showPage(page: () => ComponentChildren, loaded: Promise<void>): Promise<void> {
  await loaded;
  supportTranslation();
  render(<Boundary>{page()}</Boundary>, document.getElementById("page") as HTMLElement);
}
