/** What stands for content that is being loaded. */
export const Placeholders = () => (
  <div class="skeleton" aria-busy="true">
    {[1, 2, 3, 4, 5].map((at) => (
      <div key={at} class="waiting" />
    ))}
  </div>
);
