'use strict';
// The slider: keys by the range itself, pointers by the figure, so that a touch anywhere counts.
// Returns the function that puts the divider where the range says.
const attachSlider = (compare, slider, leftLabel) => {
  const place = () => {
    compare.style.setProperty('--at', `${slider.value}%`);
    slider.setAttribute('aria-valuetext', `${slider.value} % ${leftLabel()}`);
  };
  const follow = (event) => {
    const box = compare.getBoundingClientRect();
    slider.value = String(100 * (event.clientX - box.left) / box.width);
    place();
  };
  compare.addEventListener('pointerdown', (event) => {
    compare.setPointerCapture(event.pointerId);
    follow(event);
    slider.focus({ preventScroll: true });
    event.preventDefault();
  });
  compare.addEventListener('pointermove', (event) => {
    if (compare.hasPointerCapture(event.pointerId)) follow(event);
  });
  slider.addEventListener('input', place);
  return place;
};
