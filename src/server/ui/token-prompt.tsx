// Asks for the server's token, when the server wants one that the page does not have.
import { useId } from "preact/hooks";
import type { JSX, TargetedSubmitEvent } from "preact";
import { textOf } from "./new-stream.ts";
import { loadToken, saveToken } from "./token.ts";

interface TokenPromptProps {
  readonly connecting: boolean;
  readonly onToken: () => void;
}

export function TokenPrompt({ connecting, onToken }: TokenPromptProps): JSX.Element {
  const id = useId();
  const refused = !connecting && loadToken(sessionStorage) !== undefined;
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const token = textOf(new FormData(event.currentTarget), "token");
    if (token === "") return;
    saveToken(sessionStorage, token);
    onToken();
  };
  return (
    <form class="card" onSubmit={submit} aria-labelledby={`${id}-title`}>
      <h1 id={`${id}-title`}>This server asks for a token</h1>
      {refused && (
        <p class="problem" role="alert">
          The token that this page has is not the server's.
        </p>
      )}
      <p>
        It is the <code>token</code> of the server's settings. It is kept for this tab only.
      </p>
      <label class="field" for={id}>
        Token
        <input id={id} name="token" type="password" autocomplete="off" required />
      </label>
      <div class="card-actions">
        <button type="submit" class="primary" disabled={connecting}>
          Connect
        </button>
      </div>
    </form>
  );
}
