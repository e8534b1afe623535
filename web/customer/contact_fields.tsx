/** The fields for a delivery's contact, and their faults. */
import { looksLikePhone, maxPhoneLength } from "../../clients/browser.ts";
import { words } from "./dictionary.ts";
import type { Contact } from "./stored.ts";

/** Faults by field. */
export type ContactFaults = Partial<Record<keyof Contact, string>>;

export function contactFaults({ name, phone, address }: Contact): ContactFaults {
  return {
    ...(name.trim() === "" && { name: words.nameMissing }),
    ...(!looksLikePhone(phone) && { phone: words.phoneWrong }),
    ...(address.trim() === "" && { address: words.addressMissing }),
  };
}

export function ContactFields(props: { contact: Contact; faults: ContactFaults; onChange(contact: Contact): void }) {
  const { contact, faults, onChange } = props;
  const field = (name: keyof Contact, more: object) => (
    <label class="field">
      <span>{words[name]}</span>
      <input
        id={`contact-${name}`}
        value={contact[name]}
        aria-invalid={faults[name] !== undefined}
        aria-describedby={faults[name] === undefined ? undefined : `wrong-${name}`}
        onInput={({ currentTarget }) => onChange({ ...contact, [name]: currentTarget.value })}
        {...more}
      />
      {faults[name] !== undefined && <em id={`wrong-${name}`}>{faults[name]}</em>}
    </label>
  );
  return (
    <div class="fields">
      {field("name", { autocomplete: "name", maxLength: 40 })}
      {field("phone", { autocomplete: "tel", inputMode: "tel", type: "tel", maxLength: maxPhoneLength })}
      {field("address", { autocomplete: "street-address", maxLength: 200, placeholder: words.addressHint })}
      <p class="quiet">{words.keptHere}</p>
    </div>
  );
}
