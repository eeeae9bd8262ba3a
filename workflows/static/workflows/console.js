/* Copies what a button names. Without a clipboard (no secure connection) it selects the text, ready to be copied. */
document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    event.preventDefault();
    if (navigator.clipboard) {
        navigator.clipboard.writeText(button.dataset.copy).then(() => {
            button.textContent = "copied";
            setTimeout(() => { button.textContent = "copy"; }, 1500);
        });
        return;
    }
    getSelection().selectAllChildren(button.previousElementSibling);
});
