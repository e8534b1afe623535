/** Dialog for the reason of a refusal or cancellation: one of a list, or typed. The customer reads it. */
import { useId, useState } from "preact/hooks";
import type { OrderView } from "../../clients/types.ts";
import { cancelReasons, rejectReasons } from "../../shared/order_states.ts";
import { Dialog } from "../shared/dialog.tsx";
import { isNear, isTooLong, lengthOf } from "../shared/length.ts";
import type { KitchenActions } from "./actions.ts";
import { words } from "./dictionary.ts";

export interface ReasonDialogProps {
  kind: "reject" | "cancel";
  order: OrderView;
  actions: KitchenActions;
  onClose(): void;
}

/** As on the server. */
const maxLength = 200;

export function ReasonDialog({ kind, order, actions, onClose }: ReasonDialogProps) {
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const trouble = useId();
  const reject = kind === "reject";
  const codes = reject ? rejectReasons : cancelReasons;
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
              if (isTooLong(reason, maxLength)) return;
              onClose();
              const text = reason.trim();
              actions.takeStep(order, kind, { reason: codes.find((code) => words.reasons[code] === text) ?? text });
            }}
          >
            {reject ? words.doReject : words.doCancel}
          </button>
        </>
      }
    >
      <fieldset class="reasons">
        <legend>{words.reasonHint}</legend>
        {codes.map((code) => (
          <button
            key={code}
            type="button"
            class="button"
            aria-pressed={reason === words.reasons[code]}
            onClick={() => {
              setReason(words.reasons[code]);
              setMissing(false);
            }}
          >
            {words.reasons[code]}
          </button>
        ))}
      </fieldset>
      <label class="field">
        <span>{words.reason}</span>
        <input
          value={reason}
          aria-invalid={missing || isTooLong(reason, maxLength)}
          aria-describedby={trouble}
          onInput={(event) => {
            setReason(event.currentTarget.value);
            setMissing(false);
          }}
        />
      </label>
      <p id={trouble} class="trouble" role="alert">
        {missing
          ? words.reasonNeeded
          : isTooLong(reason, maxLength)
            ? words.tooLong(maxLength, lengthOf(reason) - maxLength)
            : isNear(reason, maxLength) && words.counted(lengthOf(reason), maxLength)}
      </p>
    </Dialog>
  );
}
