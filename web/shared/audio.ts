/** The page's AudioContext; older iPads have it under another name. */
declare global {
  interface Window {
    AudioContext?: typeof AudioContext;
    webkitAudioContext?: typeof AudioContext;
  }
}

/** Undefined in a browser without Web Audio. */
export function newAudioContext(): AudioContext | undefined {
  const Context = window.AudioContext ?? window.webkitAudioContext;
  return Context && new Context();
}
