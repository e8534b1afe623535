/** Why an order is refused or cancelled: one tap, or a line of one's own. The customer reads it. */
import { useId, useState } from "preact/hooks";
import type { OrderView } from "../../clients/types.ts";
import { Dialog } from "../shared/dialog.tsx";
import type { Doing } from "./doing.ts";
import { words } from "./speak.ts";

export interface ReasonDialogProps {
  kind: "reject" | "cancel";
  order: OrderView;
  doing: Doing;
  onClose(): void;
}

/** As the server has it. */
const maxLength = 200;

export function ReasonDialog({ kind, order, doing, onClose }: ReasonDialogProps) {
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const trouble = useId();
  const reject = kind === "reject";
  return (
    <Dialog
      title={reject ? words.rejectTitle(order.number) : words.cancelTitle(order.number)}
      closeLabel={words.close}
      onClose={onClose}
      footer={
        <>
          <button type="button" class="button" onClick={onClose}>
            {words.keepOrder}
          </button>
          <button
            type="button"
            class="button bad filled"
            onClick={() => {
              if (reason.trim() === "") return setMissing(true);
              onClose();
              doing.take(order, kind, reason.trim());
            }}
          >
            {reject ? words.doReject : words.doCancel}
          </button>
        </>
      }
    >
      <fieldset class="reasons">
        <legend>{words.reasonHint}</legend>
        {(reject ? words.rejectReasons : words.cancelReasons).map((one) => (
          <button
            key={one}
            type="button"
            class="button"
            aria-pressed={reason === one}
            onClick={() => {
              setReason(one);
              setMissing(false);
            }}
          >
            {one}
          </button>
        ))}
      </fieldset>
      <label class="field">
        <span>{words.reason}</span>
        <input
          value={reason}
          maxLength={maxLength}
          aria-invalid={missing}
          aria-describedby={trouble}
          onInput={(event) => {
            setReason(event.currentTarget.value);
            setMissing(false);
          }}
        />
      </label>
      <p id={trouble} class="trouble" role="alert">
        {missing && words.reasonNeeded}
      </p>
    </Dialog>
  );
}
